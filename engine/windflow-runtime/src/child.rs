//! Runs that a node starts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::{Digest, NodeId, RunId, RunKey};
use windflow_core::json::Json;
use windflow_core::plan::PlanNode;
use windflow_core::ports::host::{CancelSignal, Emission};
use windflow_core::ports::store::StoreError;
use windflow_core::run::{ParentRun, RunState, Step, Timestamp};
use windflow_core::trace::TraceContext;
use windflow_core::workflow::ChildName;

use crate::attempt::CancelFlag;
use crate::report::RunReport;
use crate::run_loop::Lost;
use crate::service::{Inner, Runtime};
use crate::start::{Begin, ResumeError, StartError};

/// The id of the run that an attempt starts. It follows from the attempt, but for its time, which is recorded with it.
pub(crate) fn run_id(parent: &RunKey, node: &NodeId, item: Option<u32>, attempt: u32, now: Timestamp) -> RunId {
    let digest = Digest::of(format!("{}/{}/{node}/{item:?}/{attempt}", parent.organisation, parent.run).as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest.0[..10]);
    RunId(uuid::Builder::from_unix_timestamp_millis(now.0, &random).into_uuid())
}

/// What the run is started with.
pub(crate) fn begin(
    inner: &Inner,
    parent: &RunKey,
    state: &RunState,
    node: &PlanNode,
    step: Step,
    trace: Option<TraceContext>,
    config: &Value,
) -> Result<Begin, Failure> {
    let unavailable = |message: String| Failure::new(FailureKind::Unavailable, message);
    let started = state.started().ok_or_else(|| unavailable("the run has not begun".into()))?;
    let key = ChildName::of(config).map(|name| name.key()).unwrap_or_default();
    let child = started
        .children
        .get(&key)
        .ok_or_else(|| unavailable(format!("the run was started without the workflow `{key}`")))?;
    let document =
        inner.store.blob(&parent.organisation, &child.document).map_err(|error| unavailable(error.to_string()))?;
    let document = String::from_utf8(document).map_err(|_| unavailable(format!("`{key}` is no text")))?;
    Ok(Begin {
        organisation: parent.organisation.clone(),
        document,
        inputs: config.get("inputs").and_then(Value::as_object).cloned().unwrap_or_else(Map::new),
        allowed: started.allowed.clone(),
        started_by: format!("run {}", parent.run),
        children: child.children.clone(),
        parent: Some(ParentRun { run: parent.run, node: node.id.clone(), item: step.item }),
        repeats: None,
        reused: BTreeMap::new(),
        trace,
    })
}

/// Starts a run, where it is to be started, and waits for its end. Once `cancel` is raised the run is cancelled, and its
/// end is waited for all the same. Also tells whether the run was at work in this process.
///
/// # Errors
/// Where the run had to be given up: it goes on later, and so must whoever waits for it.
pub(crate) async fn watch(
    runtime: &Runtime,
    child: &RunKey,
    begin: Option<Box<Begin>>,
    cancel: &CancelFlag,
    asleep: &Asleep,
) -> Result<(Result<Emission, Failure>, bool), Arc<Lost>> {
    let ran = match take_up(runtime, child, begin.filter(|_| !cancel.is_cancelled())) {
        Ok(ran) => ran,
        Err(failure) => return Ok((Err(failure), false)),
    };
    let mut idle = runtime.idle(child);
    let mut sleep = asleep.watch();
    let report = loop {
        sleep.set(idle.as_mut().is_some_and(|idle| *idle.borrow_and_update()));
        tokio::select! {
            report = runtime.wait(child) => break report,
            () = cancel.cancelled() => {
                sleep.set(false);
                // A run that has just ended is past cancelling.
                let _ = runtime.cancel(child, "the run that started it");
                break runtime.wait(child).await;
            }
            () = changed(&mut idle) => {}
        }
    };
    match report {
        Ok(report) => Ok((outcome(&report), ran)),
        // The process is ending, and so will this: what is recorded now would be wrong.
        Err(lost) if matches!(*lost, Lost::Stopped) => std::future::pending().await,
        Err(lost) => Err(lost),
    }
}

/// Starts a run, or goes on with it; whether it is at work in this process now, or was until a moment ago.
fn take_up(runtime: &Runtime, child: &RunKey, begin: Option<Box<Begin>>) -> Result<bool, Failure> {
    let mut started = false;
    if let Some(begin) = begin {
        started = runtime.start_child(*begin, child.run).map_err(|error| match error {
            StartError::Invalid(invalid) => {
                let first = invalid.problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
                Failure::new(FailureKind::InvalidConfig, format!("the workflow was not started: {first}"))
            }
            error => Failure::new(FailureKind::Unavailable, error.to_string()),
        })?;
    }
    match runtime.resume(child) {
        Ok(()) => Ok(true),
        Err(ResumeError::Ended(_)) => Ok(started),
        Err(ResumeError::Lost(Lost::Store(StoreError::NotFound(_)))) => {
            Err(Failure::new(FailureKind::Cancelled, "the run was cancelled before it started another"))
        }
        Err(error) => Err(Failure::new(FailureKind::Unavailable, error.to_string())),
    }
}

/// Returns when it has changed; never where there is nothing that could.
async fn changed(idle: &mut Option<tokio::sync::watch::Receiver<bool>>) {
    if let Some(receiver) = idle
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// How many of the runs that a run started wait for nothing but answers.
#[derive(Default)]
pub(crate) struct Asleep {
    count: AtomicUsize,
    changed: Notify,
}

impl Asleep {
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn watch(&self) -> Sleep<'_> {
        Sleep { of: self, asleep: false }
    }
}

/// Whether one of them does. Dropping it wakes it up.
struct Sleep<'a> {
    of: &'a Asleep,
    asleep: bool,
}

impl Sleep<'_> {
    fn set(&mut self, asleep: bool) {
        if asleep == self.asleep {
            return;
        }
        self.asleep = asleep;
        if asleep {
            self.of.count.fetch_add(1, Ordering::AcqRel);
        } else {
            self.of.count.fetch_sub(1, Ordering::AcqRel);
        }
        self.of.changed.notify_one();
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.set(false);
    }
}

fn outcome(report: &RunReport) -> Result<Emission, Failure> {
    let RunReport { run, status, .. } = report;
    if *status == "succeeded" {
        let port = windflow_core::manifest::DEFAULT_PORT
            .parse()
            .map_err(|_| Failure::new(FailureKind::InvalidOutput, "no such port"))?;
        return Ok(Emission { port, output: report.outputs.clone().unwrap_or_else(|| Json::from(json!({}))) });
    }
    if *status == "cancelled" {
        return Err(Failure::new(FailureKind::Cancelled, format!("run {run} was cancelled")));
    }
    let why = report.error.as_ref().map(|error| match &error.node {
        Some(node) => format!("node {node}: {}", error.failure),
        None => error.failure.to_string(),
    });
    Err(Failure {
        code: "child_failed".into(),
        retry: RetryHint::MayHelp,
        details: Some(Json::from(json!({ "run": run, "error": report.error }))),
        ..Failure::new(FailureKind::Node, format!("run {run} failed: {}", why.unwrap_or_default()))
    })
}
