//! What `steps.yaml` may say.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use windflow_core::id::NodeId;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    #[serde(default)]
    pub(super) process: Process,
    #[serde(default)]
    pub(super) script: BTreeMap<String, Vec<String>>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    pub(super) max_runs: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SetClock {
    Forward(String),
    Back(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Step {
    Start {
        start: String,
        document: Option<String>,
        #[serde(default)]
        inputs: Map<String, Value>,
        refused: Option<String>,
    },
    Pass {
        pass: String,
    },
    Clock {
        clock: SetClock,
    },
    Look {
        look: String,
        expect: Expect,
    },
    End {
        end: String,
        expect: Expect,
    },
    Cancel {
        cancel: String,
    },
    Answer {
        answer: String,
        node: String,
        item: Option<u32>,
        approve: Option<bool>,
        #[serde(default)]
        data: Value,
        /// Whose output says where to answer, and the field of it: the token is the last part of that address.
        at: Option<(String, String)>,
        #[serde(default)]
        refused: bool,
    },
    Event {
        event: String,
        #[serde(default)]
        data: Value,
        answered: usize,
    },
    Crash {
        crash: Crash,
    },
    Resume {
        resume: String,
        #[serde(default)]
        refused: bool,
    },
    Rerun {
        rerun: String,
        of: String,
        #[serde(default)]
        from: Vec<NodeId>,
        document: Option<String>,
        again: BTreeMap<String, String>,
    },
    Child {
        child: String,
        of: String,
        node: String,
    },
    Forget {
        forget: Forget,
    },
    Store {
        store: Stored,
    },
    Made {
        made: Vec<String>,
        /// How many idempotency keys they had.
        keys: Option<usize>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crash {
    #[serde(default)]
    pub(super) lacks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forget {
    pub(super) ended_before: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    /// Every run that there is, the oldest first.
    pub(super) runs: Option<Vec<String>>,
    pub(super) unfinished: Option<Vec<String>>,
    /// Runs of which nothing is left, their documents included.
    pub(super) gone: Option<Vec<String>>,
}

/// How a run stands. What is not said is not looked at, but for `nodes`, which names all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) status: String,
    pub(super) nodes: Option<BTreeMap<String, String>>,
    pub(super) attempts: Option<BTreeMap<String, u32>>,
    pub(super) node_outputs: Option<BTreeMap<String, Value>>,
    pub(super) node_codes: Option<BTreeMap<String, String>>,
    pub(super) outputs: Option<Value>,
    pub(super) code: Option<String>,
    /// A part of why it failed.
    pub(super) says: Option<String>,
    pub(super) uncompensated: Option<Vec<String>>,
    pub(super) queued: Option<bool>,
    /// A part of why nobody goes on with it; empty where somebody does.
    pub(super) stalled: Option<String>,
    /// How many events its journal has.
    pub(super) events: Option<usize>,
    /// How long it took or has taken, as simulated.
    pub(super) took: Option<String>,
}
