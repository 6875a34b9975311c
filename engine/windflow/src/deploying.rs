//! Wiring of what deploys: the book over the store, the drivers, time, and being interrupted.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::sync::Notify;
use windflow_core::id::OrganisationId;
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::records::Records;
use windflow_core::ports::store::BoxFuture;
use windflow_core::run::Timestamp;
use windflow_marketplace::ledger::Ledger;
use windflow_runtime::{Clock, SystemClock};
use windflow_stacks::book::{Book, BookError};
use windflow_stacks::carry::{CarryError, LOCAL, LOCAL_ADDRESS, Reached};
use windflow_stacks::driver::{DriverError, Drivers};
use windflow_stacks::keys::Keys;
use windflow_stacks::target::Credentials;
use windflow_stacks::vault::Vault;
use windflow_targets::{AllDrivers, TargetService};

use crate::cli::Global;
use crate::commands::serve::secrets_key;
use crate::engine::{data_dir, open_store};
use crate::exit::invalid;
use crate::render;
use crate::signal::interrupted;

/// What commands about deployments work with.
pub(crate) struct Deploying {
    pub(crate) book: Book,
    pub(crate) ledger: Ledger,
    main: tokio::runtime::Runtime,
}

impl Deploying {
    /// Opens what is kept.
    ///
    /// # Errors
    /// Where the store is in use, or the key of secrets cannot be read.
    pub(crate) fn open(global: &Global) -> anyhow::Result<Self> {
        let folder = data_dir(global)?;
        std::fs::create_dir_all(&folder).with_context(|| format!("the data folder {}", folder.display()))?;
        let store = Arc::new(open_store(global)?);
        let keys = secrets_key::read_or_make(&*store, &folder, None)?;
        let vault = Vault::new(&keys).context("the key of secrets is none")?;
        let ledger = Ledger::new(store.clone(), OrganisationId::local());
        let main = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { book: Book::new(store, Arc::new(vault), OrganisationId::local()), ledger, main })
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.main.block_on(work)
    }

    /// Reaches a target by its name, or by an address.
    pub(crate) async fn reach(&self, target: &str) -> anyhow::Result<Reached> {
        let reached = if target.contains("://") {
            let credentials = Credentials::default();
            let driver = AllDrivers.connect(target, &credentials).await.map_err(CarryError::from);
            driver.map(|driver| Reached { name: target.to_owned(), credentials, driver })
        } else {
            self.book.reach(&AllDrivers, target).await
        };
        reached.map_err(|error| match error {
            CarryError::Book(BookError::NotFound(what)) if what == format!("target {target}") => self.unknown(target),
            CarryError::Book(error) => kept(error),
            CarryError::Driver(error) => told(&error),
        })
    }

    /// Why a target is not known, and which one could be meant.
    fn unknown(&self, target: &str) -> anyhow::Error {
        let known = self.book.targets(None, 500).map(|(targets, _)| targets).unwrap_or_default();
        let names = known.iter().map(|known| known.name.as_str()).chain([LOCAL]);
        match windflow_core::problem::did_you_mean(target, names) {
            Some(near) => invalid(format!("there is no target {target}; {near}")),
            None => kept(BookError::NotFound(format!("target {target}"))),
        }
    }
}

/// What does what nodes ask of targets.
///
/// # Errors
/// Where the key of secrets is none.
pub(crate) fn targets(records: Arc<dyn Records>, keys: &Keys) -> anyhow::Result<TargetService> {
    let vault = Vault::new(keys).context("the key of secrets is none")?;
    Ok(TargetService::new(records, Arc::new(vault), Arc::new(AllDrivers), now))
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// What the book refuses, as the command's error.
pub(crate) fn kept(error: BookError) -> anyhow::Error {
    match error {
        BookError::Store(error) => error.into(),
        BookError::NotFound(what) if what == format!("target {LOCAL}") => invalid(format!(
            "{LOCAL} is this machine's own engine, which nobody has described: there is nothing to change or remove. To give it tags or logins: windflow targets add {LOCAL} {LOCAL_ADDRESS}"
        )),
        BookError::NotFound(what) if what.starts_with("target ") => {
            invalid(format!("there is no {what}; describe it with `windflow targets add`, or name its address"))
        }
        other => invalid(other.to_string()),
    }
}

/// What a target says, with how to mend it.
pub(crate) fn told(error: &DriverError) -> anyhow::Error {
    match &error.remedy {
        Some(remedy) => anyhow::anyhow!("{error}\n  = {remedy}"),
        None => anyhow::anyhow!("{error}"),
    }
}

/// Cancels at the first Ctrl-C, and leaves at the second.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<(AtomicBool, Notify)>);

impl Interrupt {
    pub(crate) async fn listen(self) {
        while interrupted().await.is_ok() {
            if self.0.0.swap(true, Ordering::AcqRel) {
                render::line("left at once; the same deployment goes on when it is asked for again");
                std::process::exit(crate::exit::INTERRUPTED.into());
            }
            render::line("undoing; press Ctrl-C again to leave at once");
            self.0.1.notify_waiters();
        }
    }
}

impl CancelSignal for Interrupt {
    fn is_cancelled(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let told = self.0.1.notified();
            tokio::pin!(told);
            // Listened to before the flag is looked at: what comes in between is not missed.
            told.as_mut().enable();
            if !self.is_cancelled() {
                told.await;
            }
        })
    }
}
