//! What is to happen: everything that a seed decides before anything runs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use windflow_core::workflow::{Child, Children};
use windflow_testkit::documents::scripted;
use windflow_testkit::host::Outcome;

use crate::store::Disk;

#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) runs: Vec<PlannedRun>,
    /// How long each process but the last lives, and how long none does after it. The clock may be set back meanwhile.
    pub(crate) lives: Vec<(Duration, i64)>,
    pub(crate) disk: Disk,
    /// How likely a timer is late.
    pub(crate) late: f64,
    /// The longest that an attempt takes.
    pub(crate) attempt: Duration,
}

#[derive(Clone)]
pub(crate) struct PlannedRun {
    pub(crate) document: String,
    pub(crate) children: Children,
    pub(crate) script: HashMap<String, Vec<Outcome>>,
    pub(crate) starts: Duration,
    pub(crate) cancelled: Option<Duration>,
}

impl PlannedRun {
    /// Whether how it ends is a matter of what is first.
    pub(crate) fn depends_on_time(&self) -> bool {
        self.cancelled.is_some() || self.document.contains("join: any")
    }
}

/// What nodes are called that ask somebody.
pub(crate) const ASKS: &str = "ask";
const CHILD: &str = "windflow: 1\nname: child\nnodes:\n  inner: { uses: effect@1 }\n  rest: { uses: wait@1, needs: [inner], with: { for: 20s } }\n  \
    then: { uses: effect@1, needs: [rest] }\noutputs: { said: fine }\n";

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut bytes = [0; 32];
        chance.fill(&mut bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let runs = (0..chance.random_range(1..=3)).map(|_| run(&mut runner, &mut chance)).collect();
        let life = |chance: &mut StdRng| {
            let away = if chance.random_bool(0.2) { -5_000 } else { chance.random_range(0..60_000) };
            (millis(chance, 20_000), away)
        };
        Self {
            runs,
            lives: (0..chance.random_range(0..6)).map(|_| life(&mut chance)).collect(),
            disk: Disk { slow: millis(&mut chance, 200), fails: if chance.random_bool(0.3) { 0.02 } else { 0.0 } },
            late: 0.1,
            attempt: millis(&mut chance, 4_000),
        }
    }

    /// The same where nothing goes wrong.
    pub(crate) fn calm(self) -> Self {
        let disk = Disk { slow: Duration::from_millis(1), fails: 0.0 };
        Self { lives: Vec::new(), disk, late: 0.0, ..self }
    }
}

fn millis(chance: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(chance.random_range(1..most))
}

fn run(runner: &mut TestRunner, chance: &mut StdRng) -> PlannedRun {
    let tree = scripted(8).new_tree(runner).expect("a workflow");
    let random = tree.current();
    let mut document = random.document;
    // The engine's own nodes: whatever waits outlives processes.
    for index in 0..chance.random_range(0..3) {
        let _ = match chance.random_range(0..4) {
            0 => writeln!(
                document,
                "  pause{index}: {{ uses: wait@1, needs: [n0], with: {{ for: {}s }} }}",
                chance.random_range(1..60)
            ),
            1 => writeln!(
                document,
                "  {ASKS}_person{index}: {{ uses: approval@1, needs: [n0], with: {{ message: Really? }} }}"
            ),
            2 => writeln!(document, "  {ASKS}_system{index}: {{ uses: callback@1 }}"),
            _ => writeln!(document, "  child{index}: {{ uses: workflow@1, needs: [n0], with: {{ name: child }} }}"),
        };
    }
    let child = Child { document: CHILD.to_owned(), children: Children::default() };
    PlannedRun {
        document,
        children: Children(BTreeMap::from([("name:child".to_owned(), child)])),
        script: random.script,
        starts: millis(chance, 10_000),
        cancelled: chance.random_bool(0.2).then(|| millis(chance, 30_000)),
    }
}
