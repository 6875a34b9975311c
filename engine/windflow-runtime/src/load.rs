//! From documents and journals to plans and states.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use windflow_core::id::{Digest, RunKey};
use windflow_core::native::WithNative;
use windflow_core::plan::{self, Plan};
use windflow_core::ports::host::{Host, Registry};
use windflow_core::ports::store::StoreError;
use windflow_core::problem::Problem;
use windflow_core::run::{Event, RECORD_VERSION, RunState, Sequence, apply};
use windflow_core::schema::Checker;
use windflow_core::workflow::{self, Workflow};

use crate::run_loop::Lost;
use crate::service::Inner;

/// A document that is ready to be run any number of times.
pub(crate) struct Prepared {
    pub(crate) digest: Digest,
    pub(crate) workflow: Workflow,
    pub(crate) plan: Plan,
    /// For each node of the plan, what its evaluated configuration is held against.
    pub(crate) checkers: Vec<Arc<Checker>>,
}

/// Prepared documents, so that a workflow which runs often is compiled once. Bounded; a full cache begins anew.
#[derive(Default)]
pub(crate) struct Plans(Mutex<HashMap<Digest, Arc<Prepared>>>);

const PLANS_KEPT: usize = 256;

impl Plans {
    pub(crate) fn prepare(&self, document: &str, host: &dyn Host) -> Result<Arc<Prepared>, Vec<Problem>> {
        let digest = Digest::of(document.as_bytes());
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = plans.get(&digest).filter(|prepared| is_current(prepared, host)) {
            return Ok(prepared.clone());
        }
        let prepared = Arc::new(prepare(digest, document, host)?);
        if plans.len() >= PLANS_KEPT {
            plans.clear();
        }
        plans.insert(digest, prepared.clone());
        Ok(prepared)
    }
}

fn is_current(prepared: &Prepared, host: &dyn Host) -> bool {
    let mut plugins = prepared.plan.nodes().filter(|(_, node)| node.native.is_none());
    plugins.all(|(_, node)| host.get(&node.uses).is_some_and(|found| found.component == node.component))
}

fn prepare(digest: Digest, document: &str, host: &dyn Host) -> Result<Prepared, Vec<Problem>> {
    // A plugin may be installed at any moment: what is checked has to be what is planned.
    let snapshot = host.snapshot();
    let installed: &dyn Registry = match &snapshot {
        Some(snapshot) => &**snapshot,
        None => host,
    };
    let (workflow, mut problems) = Workflow::parse(document);
    if let Some(workflow) = &workflow {
        problems.extend(workflow::validate(workflow, installed));
    }
    problems.retain(Problem::is_error);
    let Some(workflow) = workflow.filter(|_| problems.is_empty()) else { return Err(problems) };
    let registry = WithNative(installed);
    let plan = plan::build(&workflow, installed).map_err(|error| vec![Problem::document("plan", error.to_string())])?;
    let mut compiled: HashMap<_, Arc<Checker>> = HashMap::new();
    let mut checkers = Vec::with_capacity(plan.nodes().len());
    for (_, node) in plan.nodes() {
        let checker = match compiled.get(&node.uses) {
            Some(checker) => checker.clone(),
            None => {
                let installed = registry.get(&node.uses);
                let schema = installed.as_ref().map(|installed| &installed.node_type().config);
                let checker = Checker::new(schema.unwrap_or(&serde_json::Value::Bool(true)))
                    .map_err(|error| vec![Problem::document("schema", format!("{}: {error}", node.uses))])?;
                let checker = Arc::new(checker);
                compiled.insert(node.uses.clone(), checker.clone());
                checker
            }
        };
        checkers.push(checker);
    }
    Ok(Prepared { digest, workflow, plan, checkers })
}

/// A run as its journal has it.
pub(crate) struct Replayed {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) state: RunState,
    pub(crate) sequence: Sequence,
}

/// Records that are read at a time.
const READ: usize = 1024;

pub(crate) fn replay(inner: &Arc<Inner>, key: &RunKey) -> Result<Replayed, Lost> {
    let mut records = inner.store.read(key, 0, READ)?;
    let Some((_, first)) = records.first() else { return Err(StoreError::NotFound(key.run.to_string()).into()) };
    let Event::RunStarted(started) = &first.event else {
        return Err(
            StoreError::Corrupted(format!("the journal of run {} does not begin with its start", key.run)).into()
        );
    };
    let document = inner.store.blob(&key.organisation, &started.document)?;
    let document = String::from_utf8(document)
        .map_err(|_| StoreError::Corrupted(format!("the document {} is no text", started.document)))?;
    let prepared = inner.plans.prepare(&document, &*inner.host).map_err(Lost::Document)?;
    let mut state = RunState::new(&prepared.plan);
    let mut sequence = 0;
    loop {
        let read = records.len();
        for (at, record) in records {
            if record.v > RECORD_VERSION {
                return Err(StoreError::Unavailable(format!(
                    "run {} was written by a newer release of windflow",
                    key.run
                ))
                .into());
            }
            apply(&mut state, &prepared.plan, &record)?;
            sequence = at;
        }
        if read < READ {
            return Ok(Replayed { prepared, state, sequence });
        }
        records = inner.store.read(key, sequence, READ)?;
    }
}
