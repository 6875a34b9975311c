//! One process after another over the same disk, until everything has ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::store::{BoxFuture, Journal, ReadModel, StoreError};
use windflow_core::run::{Event, Timestamp};
use windflow_runtime::{Answer, AnswerError, Clock, Config, Reply, ResumeError, Runtime, Start, StartError};
use windflow_testkit::clock::BEGINNING;

use crate::host::{Outside, WatchfulHost};
use crate::plan::{ASKS, Plan};
use crate::store::{UnsteadyStore, Write};

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) told: Told,
    seed: u64,
    writes: Vec<Write>,
    now: u64,
    chance: StdRng,
    outside: Arc<Mutex<Outside>>,
    runs: Vec<RunId>,
    promises: Promises,
}

/// What happened, in numbers.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) crashes: usize,
    pub failed_commits: usize,
    pub(crate) resumed: usize,
}

/// What somebody was told.
#[derive(Default)]
struct Promises {
    /// Runs that are said to be started.
    started: Vec<bool>,
    /// Answers that are said to be taken, and where they stand.
    answers: Vec<(RunKey, String, u64)>,
    cancelled: Vec<bool>,
}

/// How a run ended, without its times.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) status: String,
    nodes: BTreeMap<String, (String, Value)>,
    outputs: Option<Value>,
}

/// Time that goes on from process to process.
struct WorldClock {
    origin: Instant,
    beginning: u64,
    late: f64,
    chance: Mutex<StdRng>,
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.beginning + u64::try_from(self.origin.elapsed().as_millis()).unwrap())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut chance = self.chance.lock().unwrap();
        let late = if chance.random_bool(self.late) { chance.random_range(0..5_000) } else { 0 };
        let until = self.origin + Duration::from_millis(at.0.saturating_sub(self.beginning) + late);
        Box::pin(tokio::time::sleep_until(until))
    }

    fn chance(&self) -> f64 {
        self.chance.lock().unwrap().random()
    }

    fn new_run_id(&self) -> RunId {
        RunId(
            uuid::Builder::from_unix_timestamp_millis(self.now().0, &self.chance.lock().unwrap().random()).into_uuid(),
        )
    }
}

fn key(run: RunId) -> RunKey {
    RunKey { organisation: OrganisationId::local(), run }
}

/// How often people look at what there is to do.
const STEP: Duration = Duration::from_millis(500);
/// Nothing in a plan takes longer than minutes.
const STUCK: Duration = Duration::from_hours(24);

impl World {
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let mut chance = StdRng::seed_from_u64(seed ^ 0x5eed);
        let id = |at: usize, chance: &mut StdRng| {
            RunId(uuid::Builder::from_unix_timestamp_millis(BEGINNING.0 + at as u64, &chance.random()).into_uuid())
        };
        let runs = (0..plan.runs.len()).map(|at| id(at, &mut chance)).collect();
        let none = vec![false; plan.runs.len()];
        let promises = Promises { started: none.clone(), answers: Vec::new(), cancelled: none };
        let (writes, told, outside) = (Vec::new(), Told::default(), Arc::default());
        Self { plan, told, seed, writes, now: BEGINNING.0, chance, outside, runs, promises }
    }

    /// What happened: every attempt in its order, and every journal.
    pub(crate) fn history(&self) -> (Vec<String>, Vec<String>) {
        let written = self.writes.iter().filter_map(|write| match write {
            Write::Append(run, _, records) => Some((run, records)),
            Write::Blob(..) => None,
        });
        let lines = written.flat_map(|(run, records)| {
            records.iter().map(|record| {
                let mut record = record.clone();
                // The time that this very machine took for it.
                if let Event::AttemptSucceeded { took_us, .. } | Event::AttemptFailed { took_us, .. } =
                    &mut record.event
                {
                    *took_us = 0;
                }
                format!("{} {record:?}", run.run)
            })
        });
        (self.outside.lock().unwrap().attempts.clone(), lines.collect())
    }

    /// Lives until every run has ended, and says how each did.
    pub(crate) fn live(&mut self) -> Vec<Ended> {
        let mut lives = self.plan.lives.clone().into_iter();
        let mut round = 0;
        loop {
            round += 1;
            assert!(round < 1_000, "seed {}: it never comes to an end", self.seed);
            let life = lives.next();
            if let Some(ends) = self.process(life.map(|(life, _)| life), round) {
                return ends;
            }
            self.told.crashes += 1;
            self.now = self.now.saturating_add_signed(life.map_or(1_000, |(_, away)| away));
        }
    }

    /// One process: it ends by being killed, by itself after a failed commit, or with everything done.
    fn process(&mut self, life: Option<Duration>, round: u64) -> Option<Vec<Ended>> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(round);
        let store = Arc::new(UnsteadyStore::new(std::mem::take(&mut self.writes), self.plan.disk, seed));
        let scripts: HashMap<_, _> =
            self.runs.iter().copied().zip(self.plan.runs.iter().map(|run| run.script.clone())).collect();
        let host = WatchfulHost::new(store.clone(), scripts, self.outside.clone(), self.plan.attempt, seed);
        let (began, ends) = tokio.block_on(async {
            let began = Instant::now();
            let chance = Mutex::new(StdRng::seed_from_u64(!seed));
            let clock = Arc::new(WorldClock { origin: began, beginning: self.now, late: self.plan.late, chance });
            let config = Config::new(tokio::runtime::Handle::current());
            let runtime = Runtime::new(store.clone(), Arc::new(host), clock.clone(), config);
            self.check_promises(&store, &runtime);
            for run in store.unfinished().unwrap() {
                runtime.resume(&run).unwrap_or_else(|error| panic!("{} cannot be resumed: {error}", run.run));
                self.told.resumed += 1;
            }
            let killed = tokio::time::sleep(life.unwrap_or(STUCK));
            let ends = tokio::select! {
                biased;
                () = killed => {
                    assert!(life.is_some(), "seed {}: nothing goes on any more", self.seed);
                    None
                }
                ends = self.people(&runtime, &store, &clock) => ends,
            };
            (began.elapsed(), ends)
        });
        // Everything that it was at work on is gone.
        drop(tokio);
        self.now += u64::try_from(began.as_millis()).unwrap();
        self.told.failed_commits += usize::from(store.has_failed());
        self.writes = store.survivors();
        let violations = &self.outside.lock().unwrap().violations;
        assert!(violations.is_empty(), "seed {}: {violations:#?}", self.seed);
        ends
    }

    /// What somebody was told still holds after a crash.
    fn check_promises(&self, store: &UnsteadyStore, runtime: &Runtime) {
        for (run, _) in self.runs.iter().zip(&self.promises.started).filter(|(_, started)| **started) {
            runtime.report(&key(*run)).unwrap_or_else(|error| panic!("run {run} was said to be started: {error}"));
        }
        for (run, node, sequence) in &self.promises.answers {
            let records = store.read(run, sequence - 1, 1).unwrap();
            let event = records.first().map(|(_, record)| &record.event);
            let kept =
                matches!(event, Some(Event::AttemptSucceeded { node: answered, .. }) if answered.as_str() == node);
            assert!(kept, "an answer to {node} was said to be taken, and there is {event:?}");
        }
    }

    /// Those who start, answer and cancel, and look whether everything has ended. None once the store has failed: then a
    /// process ends, to begin anew.
    async fn people(
        &mut self,
        runtime: &Runtime,
        store: &Arc<UnsteadyStore>,
        clock: &WorldClock,
    ) -> Option<Vec<Ended>> {
        loop {
            if store.has_failed() {
                return None;
            }
            let since = Duration::from_millis(clock.now().0.saturating_sub(BEGINNING.0));
            for index in 0..self.runs.len() {
                if since >= self.plan.runs[index].starts && !self.promises.started[index] {
                    self.start(index, runtime).await;
                }
                let due = self.plan.runs[index].cancelled.is_some_and(|at| since >= at);
                if due && self.promises.started[index] && !self.promises.cancelled[index] {
                    // Nobody is told that a cancelling is durable, so that it may have to be asked for again.
                    let _ = runtime.cancel(&key(self.runs[index]), "somebody");
                    self.promises.cancelled[index] = clock.chance() < 0.5 || self.ended(index, store);
                }
            }
            for run in store.unfinished().unwrap() {
                self.answer(&run, runtime).await;
            }
            if (0..self.runs.len()).all(|index| self.ended(index, store)) {
                return self.ends(runtime).await;
            }
            tokio::time::sleep(STEP).await;
        }
    }

    fn ended(&self, index: usize, store: &UnsteadyStore) -> bool {
        self.promises.started[index] && store.run(&key(self.runs[index])).unwrap().status.is_ended()
    }

    async fn start(&mut self, index: usize, runtime: &Runtime) {
        let planned = &self.plan.runs[index];
        let start = Start {
            organisation: OrganisationId::local(),
            document: planned.document.clone(),
            inputs: Map::new(),
            extra_grants: Default::default(),
            started_by: "simulation".into(),
            children: planned.children.clone(),
            pinned: BTreeMap::new(),
            trace: None,
        };
        match runtime.start_as(start, self.runs[index]) {
            Ok(started) => {
                self.promises.started[index] = runtime.durable(started.position).await.is_ok();
            }
            // It survived a crash before anybody was told.
            Err(StartError::Exists(_)) => self.promises.started[index] = true,
            Err(StartError::Store(StoreError::ReadOnly(_)) | StartError::Lost(_)) => {}
            Err(error) => panic!("{error:?}\n{}", planned.document),
        }
    }

    async fn answer(&mut self, run: &RunKey, runtime: &Runtime) {
        if !self.chance.random_bool(0.3) {
            return;
        }
        let Ok(report) = runtime.report(run) else { return };
        for node in report.nodes.keys().filter(|node| node.as_str().starts_with(ASKS)) {
            let reply = match node.as_str().contains("person") {
                true => Reply::Decision { approved: true, by: "ada".into(), comment: None, data: None },
                false => Reply::Data(json!({ "parcel": 7 })),
            };
            let answer = Answer { node: node.clone(), item: None, token: None, reply };
            match runtime.answer(run, answer).await {
                Ok(sequence) => self.promises.answers.push((run.clone(), node.to_string(), sequence)),
                Err(
                    AnswerError::NotAsked { .. } | AnswerError::Resume(ResumeError::Ended(_) | ResumeError::Lost(_)),
                ) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// How each ended, once that is durable.
    async fn ends(&self, runtime: &Runtime) -> Option<Vec<Ended>> {
        let mut ends = Vec::new();
        for run in &self.runs {
            let report = runtime.wait(&key(*run)).await.ok()?;
            let replayed = runtime.report(&key(*run)).unwrap();
            assert_eq!(serde_json::to_value(&*report).unwrap(), serde_json::to_value(&replayed).unwrap(), "replay");
            let node = |node: &windflow_runtime::NodeReport| {
                (node.status.to_string(), node.output.as_ref().map_or(Value::Null, |output| output.value().clone()))
            };
            let mut nodes: BTreeMap<_, _> = report.nodes.iter().map(|(id, of)| (id.to_string(), node(of))).collect();
            for (id, (_, output)) in &mut nodes {
                // Instants, and ids of runs, are of their time.
                if id.starts_with("pause") || id.starts_with("ask") {
                    *output = Value::Null;
                }
            }
            let outputs = report.outputs.as_ref().map(|outputs| outputs.value().clone());
            ends.push(Ended { status: report.status.to_string(), nodes, outputs });
        }
        Some(ends)
    }
}
