//! What belongs to one attempt.

use std::sync::Arc;
use std::time::Instant;

use rand::rngs::StdRng;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::ports::host::Call;

use super::meter::Meter;
use crate::capability::credentials::Held;
use crate::capability::files::Touched;
use crate::capability::log::Log;
use crate::capability::progress::Progress;
use crate::capability::state::Kept;
use crate::host::Shared;
use crate::plugin::Plugin;
use crate::wasi::Wasi;

/// The data of the store.
pub(crate) struct State {
    pub(crate) call: Call,
    pub(crate) deadline: Instant,
    pub(crate) shared: Arc<Shared>,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) meter: Meter,
    pub(crate) log: Arc<Log>,
    pub(crate) progress: Progress,
    /// What was denied, and how to allow it.
    pub(crate) denied: Option<String>,
    /// How many events the guest has published.
    pub(crate) published: u32,
    /// What the guest has done with the workflow's state.
    pub(crate) kept: Kept,
    /// What the guest has done with the files of the run.
    pub(crate) touched: Touched,
    /// Folders of the run that the node's configuration names for targets.
    pub(crate) folders: Vec<String>,
    /// The credential that it may use.
    pub(crate) held: Option<Arc<Held>>,
    /// Random numbers of the machine, where they are granted, until its WASI world has them.
    generator: Option<Box<StdRng>>,
    /// Made when a guest first uses something of WASI. Pure guests of our own SDK never do.
    wasi: Option<Box<Wasi>>,
}

impl State {
    pub(crate) fn new(
        call: Call,
        held: Option<Arc<Held>>,
        folders: Vec<String>,
        generator: Option<Box<StdRng>>,
        deadline: Instant,
        shared: &Arc<Shared>,
        plugin: &Arc<Plugin>,
    ) -> Self {
        let limits = &shared.limits;
        let scrubber = held.as_ref().map(|held| Arc::clone(&held.scrubber));
        Self {
            deadline,
            meter: Meter::new(limits),
            log: Log::new(&call, scrubber.clone(), limits),
            progress: Progress::new(limits.progress_interval, limits.line_bytes, scrubber),
            shared: Arc::clone(shared),
            plugin: Arc::clone(plugin),
            denied: None,
            folders,
            generator,
            held,
            published: 0,
            kept: Kept::default(),
            touched: Touched::default(),
            wasi: None,
            call,
        }
    }

    /// The attempt's own WASI world.
    pub(crate) fn wasi(&mut self) -> &mut Wasi {
        let Self { call, shared, plugin, log, held, generator, wasi, .. } = self;
        wasi.get_or_insert_with(|| Box::new(Wasi::new(call, shared, plugin, log, held.as_ref(), generator.take())))
    }

    /// Tells what was held back: the rest of a printed line, the last progress, the number of dropped lines.
    pub(crate) fn finish(&mut self) {
        if let Some(wasi) = &self.wasi {
            wasi.finish();
        }
        self.progress.finish(&self.call);
        self.log.finish();
    }

    /// What the guest was refused, where it was, as people are told.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        let denied = self.denied.as_deref().map(|denied| Failure::new(FailureKind::Denied, denied));
        denied.or_else(|| self.wasi.as_ref().and_then(|wasi| wasi.refusal()))
    }
}
