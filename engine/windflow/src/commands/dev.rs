//! `windflow dev`: a workflow that runs again whenever its file is saved, with the outputs of what is unchanged.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use console::style;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use windflow_core::capability::Grants;
use windflow_core::id::{NodeId, OrganisationId, RunKey};
use windflow_core::json::Json;
use windflow_core::manifest::DEFAULT_PORT;
use windflow_core::problem;
use windflow_core::rerun::Verdict;
use windflow_core::run::Emitted;
use windflow_core::workflow::Children;
use windflow_host::PluginHost;
use windflow_runtime::{Config, Rerun, RerunError, Runtime, Start, StartError, Started, SystemClock, Updates};
use windflow_store::MemoryStore;

use super::document::{self, Checked};
use super::run::{finish, follow, inputs_of};
use crate::cli::{DevArgs, Global};
use crate::exit::invalid;
use crate::render;
use crate::render::live::Live;
use crate::signal::interrupted;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed {
    /// Run everything again.
    Again,
    Quit,
}

/// What the files say.
#[derive(Clone, PartialEq)]
struct Saved {
    text: String,
    children: Children,
    inputs: Map<String, Value>,
}

struct Session {
    args: DevArgs,
    host: Arc<PluginHost>,
    runtime: Runtime,
    pinned: BTreeMap<NodeId, Emitted>,
    /// The last run that was started, and what the files said then.
    last: Option<(RunKey, Saved)>,
    /// What could not be started, and will not be until it says something else.
    refused: Option<Saved>,
}

pub(crate) fn run(global: &Global, args: DevArgs) -> anyhow::Result<ExitCode> {
    let host = Arc::new(crate::engine::host(global)?);
    let main = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guests = tokio::runtime::Builder::new_multi_thread().thread_name("guests").enable_all().build()?;
    // Nothing of it is kept: whoever tries things out does not want to find each try again.
    let store = Arc::new(MemoryStore::default());
    let runtime = Runtime::new(store, host.clone(), Arc::new(SystemClock), Config::new(guests.handle().clone()));
    let pinned = args.pins.iter().map(|(node, text)| pin(node, text)).collect::<anyhow::Result<_>>()?;
    let mut session = Session { args, host, runtime, pinned, last: None, refused: None };
    let ended = main.block_on(session.work());
    guests.shutdown_timeout(Duration::from_secs(2));
    ended.map(|()| ExitCode::SUCCESS)
}

/// `NODE=JSON`, or `NODE=@FILE`.
fn pin(node: &str, text: &str) -> anyhow::Result<(NodeId, Emitted)> {
    let id = node.parse().map_err(|error| invalid(format!("--pin {node}: {error}")))?;
    let text = match text.strip_prefix('@') {
        Some(path) => document::read(path.as_ref())?,
        None => text.to_owned(),
    };
    let output = Json::parse(text.into_bytes()).map_err(|error| invalid(format!("--pin {node}: no JSON: {error}")))?;
    Ok((id, Emitted { port: DEFAULT_PORT.parse().context("the usual port")?, output }))
}

impl Session {
    async fn work(&mut self) -> anyhow::Result<()> {
        let mut typed = typed();
        // Listened to all the time, so that no Ctrl-C falls between two looks.
        let mut ended = tokio::spawn(interrupted());
        tokio::task::yield_now().await;
        let mut shown: Option<String> = None;
        loop {
            let checked = document::check(&self.args.file, &*self.host)?;
            let saved = self.saved(&checked);
            let again = match &saved {
                Ok(saved) => {
                    self.last.as_ref().is_none_or(|(_, last)| last != saved) && self.refused.as_ref() != Some(saved)
                }
                Err(why) => shown.as_ref() != Some(why),
            };
            match saved {
                Ok(saved) if again => {
                    shown = None;
                    if self.once(&checked, saved).await? {
                        continue;
                    }
                    self.tell_what_next();
                }
                Ok(_) => {}
                Err(why) if again => {
                    render::line(&format!("\n{}", why.trim_end()));
                    render::line(&style("waiting for a change").dim().for_stderr().to_string());
                    shown = Some(why);
                }
                Err(_) => {}
            }
            tokio::select! {
                interrupt = &mut ended => return Ok(interrupt??),
                word = typed.recv() => match word {
                    Some(Typed::Quit) => return Ok(()),
                    Some(Typed::Again) => (self.last, self.refused, shown) = (None, None, None),
                    // Nobody types any more; the files are still watched.
                    None => tokio::time::sleep(LOOK_EVERY).await,
                },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// What the files say, or all that is wrong with them.
    fn saved(&self, checked: &Checked) -> Result<Saved, String> {
        let name = self.args.file.display().to_string();
        let Some(workflow) = checked.workflow.as_ref().filter(|_| checked.is_valid()) else {
            return Err(problem::render(&name, &checked.text, &checked.problems));
        };
        let inputs = inputs_of(workflow, self.args.input_file.as_deref(), &self.args.inputs);
        let inputs = inputs.map_err(|error| format!("{error:#}"))?;
        workflow.resolve_inputs(inputs.clone()).map_err(|problems| problem::render(&name, &checked.text, &problems))?;
        Ok(Saved { text: checked.text.clone(), children: checked.children.clone(), inputs })
    }

    /// Runs what the files say. True: they say something else by now, and it was given up.
    async fn once(&mut self, checked: &Checked, saved: Saved) -> anyhow::Result<bool> {
        let Some(workflow) = &checked.workflow else { return Ok(false) };
        checked.print(&self.args.file);
        let (started, updates, kept) = match self.start(&saved)? {
            Ok(started) => started,
            Err(problems) => {
                render::line(&problems);
                self.refused = Some(saved);
                return Ok(false);
            }
        };
        let key = RunKey { organisation: OrganisationId::local(), run: started.run };
        render::line(&format!(
            "\n{} {}{}",
            style("▶").cyan().for_stderr(),
            style(&workflow.name.value).bold().for_stderr(),
            style(kept).dim().for_stderr(),
        ));
        self.last = Some((key.clone(), saved.clone()));
        self.refused = None;
        let live = Live::new(workflow.nodes.keys());
        let followed = follow(&self.runtime, &key, Some(live), updates, 0);
        tokio::pin!(followed);
        let report = tokio::select! {
            report = &mut followed => report?,
            () = self.changed(&saved) => {
                render::line("the file was saved; beginning again");
                let _ = self.runtime.cancel(&key, "dev");
                followed.await?;
                return Ok(true);
            }
        };
        finish(&self.runtime, &report, false, false)?;
        Ok(false)
    }

    async fn changed(&self, saved: &Saved) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = document::check(&self.args.file, &*self.host).ok().map(|checked| self.saved(&checked));
            if now.is_some_and(|now| now.as_ref() != Ok(saved)) {
                return;
            }
        }
    }

    /// Starts a run that takes over what is unchanged, where there is one to take over from.
    fn start(&self, saved: &Saved) -> anyhow::Result<Result<(Started, Updates, String), String>> {
        let organisation = OrganisationId::local();
        let extra_grants = Grants { http: self.args.allow.clone(), ..Grants::default() };
        if let Some((key, last)) = self.last.as_ref().filter(|(_, last)| last.inputs == saved.inputs) {
            let rerun = Rerun {
                document: Some((saved.text.clone(), saved.children.clone())),
                keep_unchanged: true,
                started_by: "dev".to_owned(),
                extra_grants: extra_grants.clone(),
                ..Rerun::default()
            };
            match self
                .runtime
                .judge_rerun(key, &rerun)
                .and_then(|verdict| Ok((self.runtime.rerun_watched(key, rerun)?, verdict)))
            {
                Ok(((started, updates), verdict)) => return Ok(Ok((started, updates, kept(&verdict)))),
                // It still waits for somebody's answer, which is of no use to anybody now.
                Err(RerunError::NotEnded(_)) => drop(self.runtime.cancel(key, "dev")),
                Err(RerunError::Start(StartError::Invalid(error))) => {
                    return Ok(Err(problem::render(
                        &self.args.file.display().to_string(),
                        &last.text,
                        &error.problems,
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let start = Start {
            organisation,
            document: saved.text.clone(),
            inputs: saved.inputs.clone(),
            extra_grants,
            started_by: "dev".to_owned(),
            children: saved.children.clone(),
            pinned: self.pinned.clone(),
            trace: None,
        };
        match self.runtime.start_watched(start) {
            Ok((started, updates)) => Ok(Ok((started, updates, String::new()))),
            Err(StartError::Invalid(error)) => {
                Ok(Err(problem::render(&self.args.file.display().to_string(), &saved.text, &error.problems)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn tell_what_next(&self) {
        let keys = if std::io::stdin().is_terminal() { "; Enter runs everything again, q ends" } else { "" };
        let line = format!("\nwatching {}{keys}", self.args.file.display());
        render::line(&style(line).dim().for_stderr().to_string());
    }
}

fn kept(verdict: &Verdict) -> String {
    match verdict.reused().len() {
        0 => String::new(),
        1 => "  1 node is unchanged".to_owned(),
        more => format!("  {more} nodes are unchanged"),
    }
}

/// What is typed, where anybody can type.
fn typed() -> mpsc::Receiver<Typed> {
    let (sender, receiver) = mpsc::channel(1);
    if std::io::stdin().is_terminal() {
        // It ends with the process: nothing makes a thread let go of a terminal.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                let word = if line.trim() == "q" { Typed::Quit } else { Typed::Again };
                if sender.blocking_send(word).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}
