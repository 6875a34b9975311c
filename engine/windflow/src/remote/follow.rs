//! A run of a server, shown until it has ended or asks somebody.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use windflow_core::id::RunId;
use windflow_core::run::Sequence;
use windflow_runtime::Update;

use super::patience::Patience;
use super::report::{self, Detail};
use super::server::Server;
use super::stream::{Stream, Told};
use crate::render::live::Live;
use crate::signal::interrupted;
use crate::{exit, render};

/// How long nothing is told until one looks whether the run asks somebody.
const SILENCE: Duration = Duration::from_millis(500);
/// Shows a run until it has ended, or nothing goes on until somebody answers. Ctrl-C cancels it; a second one leaves it to the server.
///
/// # Errors
/// Where the server refuses, or is gone for long.
pub(super) async fn follow(server: &Server, run: RunId, quiet: bool) -> anyhow::Result<Detail> {
    let shown = Follower { server, run, quiet, live: None, last: 0, patience: Patience::default() }.follow();
    tokio::pin!(shown);
    let mut interrupts = 0;
    loop {
        tokio::select! {
            biased;
            shown = &mut shown => return shown,
            interrupt = interrupted() => {
                interrupt?;
                interrupts += 1;
                if interrupts > 1 {
                    render::line(&format!("\nleft at once; the server goes on with run {run}"));
                    std::process::exit(exit::INTERRUPTED.into());
                }
                render::line("\ncancelling; press Ctrl-C again to leave at once");
                // A run that ends at this very moment is past cancelling; its end is what is reported.
                let _ = server.send(server.request(Method::POST, &["runs", &run.to_string(), "cancel"])).await;
            }
        }
    }
}

struct Follower<'a> {
    server: &'a Server,
    run: RunId,
    quiet: bool,
    live: Option<Live>,
    /// The last event that was shown.
    last: Sequence,
    patience: Patience,
}

impl Follower<'_> {
    async fn follow(mut self) -> anyhow::Result<Detail> {
        loop {
            let why = match self.listen().await {
                Ok(Some(detail)) => return Ok(detail),
                Ok(None) => anyhow::anyhow!("the server ended the connection"),
                Err(error) => error,
            };
            let given_up = self.patience.after(why).await;
            given_up.with_context(|| format!("the run {} goes on at the server", self.run))?;
        }
    }

    /// Listens until the run has ended or asks somebody (what it is then), or the connection ends (nothing).
    async fn listen(&mut self) -> anyhow::Result<Option<Detail>> {
        let Self { server, run, .. } = *self;
        if !self.quiet && self.live.is_none() {
            self.live = Some(Live::new(Detail::get(server, run).await?.report().nodes.keys()));
        }
        let request = server.request(Method::GET, &["runs", &run.to_string(), "live"]);
        let answer = server.send(request.header("last-event-id", self.last)).await?;
        let mut stream = Stream::new(answer, self.last);
        // Having looked in vain one looks less often: a run that it waits for may ask, of which this one tells nothing.
        let mut silence = SILENCE;
        loop {
            let Ok(told) = tokio::time::timeout(silence, stream.next()).await else {
                silence = (silence * 2).min(SILENCE * 16);
                if report::family(server, run).await?.values().any(Detail::only_asks) {
                    return Detail::get(server, run).await.map(Some);
                }
                continue;
            };
            let told = told?;
            self.last = stream.last;
            silence = SILENCE;
            self.patience.heard();
            match told {
                Some(Told::End) => return Detail::get(server, run).await.map(Some),
                Some(Told::Update(update)) => self.show(Ok(update)),
                Some(Told::Missed(missed)) => self.show(Err(missed)),
                None => return Ok(None),
            }
        }
    }

    fn show(&mut self, update: Result<Update, u64>) {
        if let Some(live) = &mut self.live {
            live.show(update);
        }
    }
}
