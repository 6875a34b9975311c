//! Runs and records to try a store with.

use serde_json::json;
use windflow_core::capability::Grants;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{Digest, OrganisationId, RunId, RunKey};
use windflow_core::json::Json;
use windflow_core::run::{EndStatus, Event, KeptLog, Record, RunFailure, RunStarted, Timestamp};

/// A run that began so many milliseconds after 1970, as the runtime would name it; `number` tells runs of one moment apart.
#[must_use]
pub fn run_id(at: u64, number: u64) -> RunId {
    let number = u128::from(number) & 0x3fff_ffff_ffff_ffff;
    RunId(uuid::Uuid::from_u128((u128::from(at) << 80) | (7 << 76) | (2 << 62) | number))
}

/// A run of the local organisation.
#[must_use]
pub fn run_key(at: u64, number: u64) -> RunKey {
    RunKey { organisation: OrganisationId::local(), run: run_id(at, number) }
}

/// The start of a run of a workflow.
///
/// # Panics
/// Where the name is none.
#[must_use]
pub fn started(at: u64, workflow: &str) -> Record {
    started_with(at, workflow, Digest::of(workflow.as_bytes()))
}

/// The start of a run whose document is some content.
///
/// # Panics
/// Where the name is none.
#[must_use]
pub fn started_with(at: u64, workflow: &str, document: Digest) -> Record {
    let started = RunStarted {
        workflow: workflow.parse().unwrap(),
        document,
        inputs: Json::from(json!({ "url": "https://example.org" })),
        components: [("log@1".parse().unwrap(), Digest::of(b"log"))].into(),
        grants: Grants::default(),
        started_by: "cli".to_owned(),
        allowed: Default::default(),
        children: Default::default(),
        parent: None,
        repeats: None,
        reused: Default::default(),
        callbacks: None,
        trace: None,
        trace_state: None,
    };
    Record::new(Timestamp(at), Event::RunStarted(Box::new(started)))
}

/// A node's success.
///
/// # Panics
/// Never.
#[must_use]
pub fn succeeded(at: u64, output: Json) -> Record {
    let event = Event::AttemptSucceeded {
        item: None,
        node: "fetch".parse().unwrap(),
        attempt: 1,
        port: "out".parse().unwrap(),
        output,
        took_us: 13,
        log: KeptLog::default(),
    };
    Record::new(Timestamp(at), event)
}

/// Some record that changes no summary but its sequence.
#[must_use]
pub fn step(at: u64, number: u64) -> Record {
    succeeded(at, Json::from(json!({ "step": number })))
}

/// A request to stop.
#[must_use]
pub fn cancel(at: u64) -> Record {
    Record::new(Timestamp(at), Event::CancelRequested { by: "cli".to_owned() })
}

/// The end of a run.
#[must_use]
pub fn finished(at: u64, status: EndStatus) -> Record {
    let failure = (status == EndStatus::Failed).then(|| RunFailure {
        node: "fetch".parse().ok(),
        failure: Failure::new(FailureKind::Timeout, "it took too long"),
    });
    let outputs = (status == EndStatus::Succeeded).then(|| Json::from(json!({ "status": 200 })));
    Record::new(Timestamp(at), Event::RunFinished { status, outputs, failure, uncompensated: Vec::new() })
}

/// Random numbers that are the same for the same seed (xorshift).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }
}
