//! A host that holds against the store whether it may do what it is asked to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use windflow_core::failure::Failure;
use windflow_core::id::{NodeId, NodeTypeRef, RunId, RunKey};
use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, Registry};
use windflow_core::ports::store::BoxFuture;
use windflow_testkit::host::{Outcome, ScriptedHost};

use crate::store::UnsteadyStore;

type StepKey = (RunId, NodeId, Option<u32>);

/// What outlives processes: the world outside, which remembers what was done to it.
#[derive(Default)]
pub(crate) struct Outside {
    /// The key of each node run.
    keys: BTreeMap<StepKey, String>,
    /// Every attempt, in order.
    pub(crate) attempts: Vec<String>,
    /// What should never have been asked of it. A panic would be caught by the task of the attempt, and end nothing but that.
    pub(crate) violations: Vec<String>,
}

pub(crate) struct WatchfulHost {
    store: Arc<UnsteadyStore>,
    scripts: HashMap<RunId, ScriptedHost>,
    /// For runs that others started.
    plain: ScriptedHost,
    outside: Arc<Mutex<Outside>>,
    /// What this process is at.
    in_flight: Mutex<HashSet<StepKey>>,
    takes: Duration,
    chance: Mutex<StdRng>,
}

/// An attempt ends when it has a result, and when its run is given up.
struct InFlight<'a>(&'a WatchfulHost, StepKey);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(&self.0.in_flight).remove(&self.1);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WatchfulHost {
    pub(crate) fn new(
        store: Arc<UnsteadyStore>,
        scripts: impl IntoIterator<Item = (RunId, HashMap<String, Vec<Outcome>>)>,
        outside: Arc<Mutex<Outside>>,
        takes: Duration,
        seed: u64,
    ) -> Self {
        let scripts = scripts.into_iter().map(|(run, script)| (run, ScriptedHost::new(script))).collect();
        let chance = Mutex::new(StdRng::seed_from_u64(seed));
        Self { store, scripts, plain: ScriptedHost::default(), outside, in_flight: Mutex::default(), takes, chance }
    }

    fn begin(&self, call: &Call) -> InFlight<'_> {
        let Call { organisation, run, node, item, attempt, .. } = call;
        let step = (*run, node.clone(), *item);
        let what = format!("{run} {node} {item:?} #{attempt}");
        let mut outside = lock(&self.outside);
        let mut violations = Vec::new();
        let mut hold = |holds: bool, otherwise: &str| {
            if !holds {
                violations.push(format!("{what}: {otherwise}"));
            }
        };
        hold(lock(&self.in_flight).insert(step.clone()), "made while another attempt is under way");
        if call.uses.name.starts_with("effect") {
            let run = RunKey { organisation: organisation.clone(), run: *run };
            let (begun, succeeded) = self.store.attempt(&run, node, *item, *attempt);
            hold(begun, "made before its beginning is durable");
            hold(!succeeded, "made though it is known to have succeeded");
        }
        let key = outside.keys.entry(step.clone()).or_insert_with(|| call.key.to_string());
        hold(**key == *call.key, "its key is another one");
        outside.violations.append(&mut violations);
        outside.attempts.push(what);
        InFlight(self, step)
    }
}

impl Registry for WatchfulHost {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.plain.get(uses)
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.plain.list()
    }
}

impl Host for WatchfulHost {
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
        let in_flight = self.begin(&call);
        let takes = self.takes.mul_f64(lock(&self.chance).random());
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            let result = self.scripts.get(&call.run).unwrap_or(&self.plain).execute(call).await;
            drop(in_flight);
            result
        })
    }
}
