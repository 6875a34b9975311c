//! Scenarios of several runs, of processes that end and begin, and of time that passes: a list of steps in `steps.yaml`.
//!
//! ```yaml
//! process: { max_runs: 2 }                 # what a process of the scenario is begun with
//! script: { pay: [fail, out] }             # what nodes do, as in `expect.yaml`; each attempt takes ten milliseconds
//! steps:
//!   - start: first                         # the run is called so from here on
//!     document: other.yaml                 # workflow.yaml where nothing is said
//!     inputs: { shop: north }
//!     refused: at_limit                    # it is not started, and why: at_limit, overloaded, invalid
//!   - pass: 9m                             # time passes
//!   - clock: { forward: 2h }               # somebody sets the clock of the machine, or `back`; no time passes
//!   - look: first                          # how the run stands, without waiting for anything
//!     expect: { status: running, queued: true, nodes: { a: running } }
//!   - end: first                           # waits until it has ended
//!     expect: { status: succeeded, outputs: { a: 1 } }
//!   - cancel: first
//!   - answer: first                        # as in `expect.yaml`: node, item, approve, data; refused
//!     node: ask
//!     approve: true
//!     at: [order, report_to]               # at the address that this node put out in this field
//!   - event: order.paid                    # something happened; `answered` says how many waited for it
//!     data: {}
//!     answered: 1
//!   - crash: {}                            # the process is gone at once; the next takes up what has not ended
//!   - crash: { lacks: [effect] }           # …in which a node type is not installed
//!   - resume: first                        # somebody resumes it; `refused: true` where it cannot be
//!   - rerun: second                        # repeats a run; `again` names the nodes that run again, with the reason
//!     of: first
//!     from: [pay]
//!     again: { pay: asked }
//!   - child: inner                         # the run that a node of another started is called so from here on
//!     of: first
//!     node: sub
//!   - forget: { ended_before: 1h }         # runs that ended longer ago than that are taken out of the store
//!   - store: { runs: [first], unfinished: [], gone: [second] }
//!   - made: [pay, pay]                     # the attempts that reached the host since the step of this kind before, …
//!     keys: 1                              # … and how many idempotency keys they had
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::retention::{Keep, prune};
use windflow_core::ports::store::{Blobs, Journal, ReadModel, RunQuery, StoreError};
use windflow_core::rerun::{Fate, Why};
use windflow_core::run::{Event, Timestamp, Wait};
use windflow_core::workflow::{
    ChildName, Children, Documents, FoundDocument, Workflow, parse_duration, resolve_children,
};
use windflow_core::yaml;
use windflow_runtime::{
    Answer, AnswerError, Clock, Config, Happened, Reply, Rerun, ResumeError, RunReport, Runtime, Start, StartError,
};
use windflow_store::MemoryStore;
use windflow_testkit::clock::{BEGINNING, PausedClock};
use windflow_testkit::host::{Made, Outcome, ScriptedHost};

use self::format::{Expect, Scenario, SetClock, Step, Stored};

#[path = "format.rs"]
mod format;

/// A host of which some node types are not installed.
struct Lacking {
    host: Arc<ScriptedHost>,
    lacks: Vec<String>,
}

mod lacking {
    use super::Lacking;
    use windflow_core::failure::Failure;
    use windflow_core::id::NodeTypeRef;
    use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, Registry};
    use windflow_core::ports::store::BoxFuture;

    impl Registry for Lacking {
        fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
            self.host.get(uses).filter(|_| !self.lacks.iter().any(|lacks| **lacks == *uses.name))
        }

        fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
            self.host.list().into_iter().filter(|(uses, _)| self.get(uses).is_some()).collect()
        }
    }

    impl Host for Lacking {
        fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
            self.host.execute(call)
        }
    }
}

/// What a process has that is at work on the runs. Dropping it is a crash: nothing that was under way goes on.
struct Working {
    tokio: tokio::runtime::Runtime,
    runtime: Runtime,
    clock: Arc<PausedClock>,
}

struct World<'a> {
    name: &'a str,
    folder: &'a Path,
    scenario: &'a Scenario,
    store: Arc<MemoryStore>,
    host: Arc<ScriptedHost>,
    working: Option<Working>,
    processes: u64,
    runs: BTreeMap<String, RunKey>,
    documents: BTreeMap<String, windflow_core::id::Digest>,
    /// How many attempts were looked at.
    seen: usize,
}

/// The files of a scenario, by the names in them, or as files.
struct Folder<'a>(&'a Path);

impl Documents for Folder<'_> {
    fn find(&self, _: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let file = match name {
            ChildName::File(file) => file.clone(),
            ChildName::Name(name) => format!("{name}.yaml"),
        };
        let text = std::fs::read_to_string(self.0.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        Ok(FoundDocument { location: file, text })
    }
}

/// Plays a scenario, and panics where anything is not as it says.
pub(crate) fn play(name: &str, folder: &Path) {
    let text = std::fs::read_to_string(folder.join("steps.yaml")).unwrap();
    let (steps, problems) = yaml::parse(&text, yaml::Limits::default());
    assert!(problems.is_empty(), "{name}: {problems:?}");
    let scenario: Scenario =
        serde_json::from_value(steps.unwrap().to_json()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!scenario.steps.is_empty(), "{name}: nothing happens");
    let script = scenario
        .script
        .iter()
        .map(|(node, outcomes)| (node.clone(), outcomes.iter().map(|one| outcome(one)).collect()));
    let host = Arc::new(ScriptedHost::new(script.collect()).taking(Duration::from_millis(10)));
    let mut world = World {
        name,
        folder,
        scenario: &scenario,
        store: Arc::new(MemoryStore::default()),
        host,
        working: None,
        processes: 0,
        runs: BTreeMap::new(),
        documents: BTreeMap::new(),
        seen: 0,
    };
    world.process(&[], BEGINNING);
    for (at, step) in scenario.steps.iter().enumerate() {
        world.step(at, step);
    }
}

pub(crate) fn outcome(word: &str) -> Outcome {
    match word {
        "fail" => Outcome::Fail,
        "fail_for_good" => Outcome::FailForGood,
        "hang" => Outcome::Hang,
        port => Outcome::Emit(port.to_owned()),
    }
}

fn organisation() -> OrganisationId {
    OrganisationId::local()
}

fn duration(text: &str) -> Duration {
    parse_duration(text).unwrap_or_else(|| panic!("`{text}` is no duration"))
}

impl World<'_> {
    /// Begins a process at an instant, and lets it take up what has not ended.
    fn process(&mut self, lacks: &[String], at: Timestamp) {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        self.processes += 1;
        let clock = Arc::new(tokio.block_on(async { PausedClock::at(self.processes, at) }));
        let mut config = Config::new(tokio.handle().clone());
        config.max_runs = self.scenario.process.max_runs.unwrap_or(config.max_runs);
        let host = Arc::new(Lacking { host: self.host.clone(), lacks: lacks.to_vec() });
        let runtime = Runtime::new(self.store.clone(), host, clock.clone(), config);
        for run in self.store.unfinished().unwrap() {
            // What cannot be taken up tells why.
            let _ = tokio.block_on(async { runtime.resume(&run) });
        }
        self.working = Some(Working { tokio, runtime, clock });
        self.settle();
    }

    fn working(&self) -> &Working {
        self.working.as_ref().unwrap()
    }

    fn runtime(&self) -> &Runtime {
        &self.working().runtime
    }

    /// Lets everything happen that takes no time.
    fn settle(&self) {
        self.working().tokio.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
    }

    /// The simulated time, which stands still outside of the process.
    fn now(&self) -> Timestamp {
        self.working().tokio.block_on(async { self.working().clock.now() })
    }

    fn key(&self, run: &str) -> RunKey {
        self.runs.get(run).unwrap_or_else(|| panic!("{}: no run is called {run}", self.name)).clone()
    }

    fn called(&self, run: RunId) -> String {
        let name = self.runs.iter().find(|(_, key)| key.run == run).map(|(name, _)| name.clone());
        name.unwrap_or_else(|| "a run without a name".to_owned())
    }

    fn document(&self, file: Option<&String>) -> (String, Children) {
        let file = file.map_or("workflow.yaml", String::as_str);
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        let (workflow, problems) = Workflow::parse(&text);
        assert!(problems.is_empty(), "{}: {problems:?}", self.name);
        let children = resolve_children(&workflow.unwrap(), &Folder(self.folder), &*self.host);
        (text, children.unwrap_or_else(|problems| panic!("{}: {problems:?}", self.name)))
    }

    fn began(&mut self, name: &str, run: RunId) {
        let key = RunKey { organisation: organisation(), run };
        if let Some((_, record)) = self.store.read(&key, 0, 1).unwrap().first()
            && let Event::RunStarted(started) = &record.event
        {
            self.documents.insert(name.to_owned(), started.document);
        }
        assert!(self.runs.insert(name.to_owned(), key).is_none(), "{}: two runs are called {name}", self.name);
    }

    fn step(&mut self, at: usize, step: &Step) {
        let place = format!("{}, step {}: {step:?}", self.name, at + 1);
        match step {
            Step::Start { start, document, inputs, refused } => {
                let (document, children) = self.document(document.as_ref());
                let begin = Start {
                    organisation: organisation(),
                    document,
                    inputs: inputs.clone(),
                    extra_grants: Default::default(),
                    started_by: "test".into(),
                    children,
                    pinned: BTreeMap::new(),
                    trace: None,
                };
                let started = self.working().tokio.block_on(async { self.runtime().start(begin) });
                match (started, refused.as_deref()) {
                    (Ok(started), None) => self.began(start, started.run),
                    (Err(StartError::AtLimit { .. }), Some("at_limit"))
                    | (Err(StartError::Overloaded(_)), Some("overloaded"))
                    | (Err(StartError::Invalid(_)), Some("invalid")) => {}
                    (started, _) => panic!("{place}: {started:?}"),
                }
            }
            Step::Pass { pass } => self.working().tokio.block_on(async { tokio::time::sleep(duration(pass)).await }),
            Step::Clock { clock } => {
                let (by, sign) = match clock {
                    SetClock::Forward(by) => (by, 1),
                    SetClock::Back(by) => (by, -1),
                };
                let by = i64::try_from(duration(by).as_millis()).unwrap();
                self.working().clock.set_by(sign * by);
            }
            Step::Look { look, expect } => {
                self.settle();
                let key = self.key(look);
                self.check(&place, &key, expect, &self.runtime().report(&key).unwrap());
            }
            Step::End { end, expect } => {
                let key = self.key(end);
                let limit = Duration::from_secs(366 * 24 * 3600);
                let ended = self
                    .working()
                    .tokio
                    .block_on(async { tokio::time::timeout(limit, self.runtime().wait(&key)).await });
                let report = ended.unwrap_or_else(|_| panic!("{place}: it does not end")).unwrap();
                let replayed = self.runtime().report(&key).unwrap();
                assert_eq!(json(&replayed), json(&report), "{place}: what is read again");
                self.check(&place, &key, expect, &report);
            }
            Step::Cancel { cancel } => self.runtime_do(|runtime| runtime.cancel(&self.key(cancel), "test")).unwrap(),
            Step::Answer { answer, node, item, approve, data, at, refused } => {
                let given = reply(*approve, data);
                self.settle();
                let key = self.key(answer);
                let token = at.as_ref().map(|(handed_on_by, field)| {
                    let report = self.runtime().report(&key).unwrap();
                    let output = report.nodes[handed_on_by.as_str()].output.as_ref().unwrap();
                    output.value()[field].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
                });
                let answer_given = Answer { node: node.parse().unwrap(), item: *item, token, reply: given };
                let answered = self.working().tokio.block_on(self.runtime().answer(&key, answer_given));
                match (answered, refused) {
                    (Ok(_), false)
                    | (
                        Err(AnswerError::Invalid { .. } | AnswerError::NotAsked { .. } | AnswerError::WrongToken(_)),
                        true,
                    ) => {}
                    (answered, _) => panic!("{place}: {answered:?}"),
                }
            }
            Step::Event { event, data, answered } => {
                self.settle();
                let organisation = organisation();
                let happened = Happened { organisation: &organisation, name: event, data, before: None };
                let told = self.working().tokio.block_on(self.runtime().happened(happened));
                assert_eq!(told.iter().filter(|one| one.taken.is_ok()).count(), *answered, "{place}: {told:?}");
            }
            Step::Crash { crash } => {
                let at = self.now();
                drop(self.working.take());
                self.process(&crash.lacks, at);
            }
            Step::Resume { resume, refused } => {
                let resumed: Result<(), ResumeError> = self.runtime_do(|runtime| runtime.resume(&self.key(resume)));
                assert_eq!(resumed.is_err(), *refused, "{place}: {resumed:?}");
            }
            Step::Rerun { rerun, of, from, document, again } => {
                let key = self.key(of);
                let how = Rerun {
                    document: document.as_ref().map(|file| self.document(Some(file))),
                    from: from.clone(),
                    started_by: "test".into(),
                    ..Rerun::default()
                };
                let verdict = self.runtime().judge_rerun(&key, &how).unwrap();
                let found: BTreeMap<String, String> = verdict
                    .nodes
                    .iter()
                    .filter_map(|(node, fate)| match fate {
                        Fate::Again(why) => Some((node.to_string(), reason(why))),
                        Fate::Reused(_) | Fate::Decided => None,
                    })
                    .collect();
                assert_eq!(&found, again, "{place}: what runs again");
                let started = self.runtime_do(|runtime| runtime.rerun(&key, how)).unwrap();
                self.began(rerun, started.run);
            }
            Step::Child { child, of, node } => {
                self.settle();
                let records = self.store.read(&self.key(of), 0, 10_000).unwrap();
                let started = records.iter().rev().find_map(|(_, record)| match &record.event {
                    Event::AttemptStarted { node: this, wait: Some(Wait::Child { run }), .. }
                        if this.as_str() == node =>
                    {
                        Some(*run)
                    }
                    _ => None,
                });
                let run = started.unwrap_or_else(|| panic!("{place}: it started none"));
                self.began(child, run);
            }
            Step::Forget { forget } => {
                let now = self.now();
                let before = u64::try_from(duration(&forget.ended_before).as_millis()).unwrap();
                let keep = Keep { ended_since: Some(Timestamp(now.0 - before)), ..Keep::default() };
                prune(&*self.store, &organisation(), &keep, 1000).unwrap();
            }
            Step::Store { store } => self.check_store(&place, store),
            Step::Made { made, keys } => {
                self.settle();
                let all = self.host.made();
                let new = &all[self.seen..];
                assert_eq!(&new.iter().map(called).collect::<Vec<_>>(), made, "{place}");
                if let Some(keys) = keys {
                    let found: BTreeSet<_> = new.iter().map(|one| &one.key).collect();
                    assert_eq!(found.len(), *keys, "{place}: {new:?}");
                }
                self.seen = all.len();
            }
        }
    }

    fn runtime_do<T>(&self, act: impl FnOnce(&Runtime) -> T) -> T {
        self.working().tokio.block_on(async { act(self.runtime()) })
    }

    fn check_store(&self, place: &str, expect: &Stored) {
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        if let Some(runs) = &expect.runs {
            let query = RunQuery { limit: 1000, ..RunQuery::default() };
            let page = self.store.runs(&organisation(), &query).unwrap();
            let found = page.items.iter().map(|run| self.called(run.run)).collect();
            assert_eq!(sorted(found), sorted(runs.clone()), "{place}: the runs that there are");
        }
        if let Some(unfinished) = &expect.unfinished {
            let found = self.store.unfinished().unwrap().iter().map(|key| self.called(key.run)).collect();
            assert_eq!(sorted(found), sorted(unfinished.clone()), "{place}: the runs that have not ended");
        }
        for run in expect.gone.iter().flatten() {
            let journal = self.store.read(&self.key(run), 0, 1);
            assert!(matches!(journal, Err(StoreError::NotFound(_))), "{place}: {run} is there: {journal:?}");
            let document = self.store.blob(&organisation(), &self.documents[run]);
            assert!(matches!(document, Err(StoreError::NotFound(_))), "{place}: the document of {run} is there");
        }
    }

    fn check(&self, place: &str, key: &RunKey, expect: &Expect, report: &RunReport) {
        let runtime = self.runtime();
        assert_eq!(report.status, expect.status, "{place}: status; {:?}", report.error);
        if let Some(nodes) = &expect.nodes {
            let found: BTreeMap<String, String> =
                report.nodes.iter().map(|(id, node)| (id.to_string(), node.status.to_string())).collect();
            assert_eq!(&found, nodes, "{place}: nodes");
        }
        for (node, attempts) in expect.attempts.iter().flatten() {
            assert_eq!(report.nodes[node.as_str()].attempts, *attempts, "{place}: attempts of {node}");
        }
        for (node, output) in expect.node_outputs.iter().flatten() {
            let found = report.nodes[node.as_str()].output.as_ref().map(windflow_core::json::Json::value);
            assert_eq!(found, Some(output), "{place}: output of {node}");
        }
        for (node, code) in expect.node_codes.iter().flatten() {
            assert_eq!(&report.nodes[node.as_str()].error.as_ref().unwrap().code, code, "{place}: failure of {node}");
        }
        if let Some(outputs) = &expect.outputs {
            assert_eq!(report.outputs.as_ref().unwrap().value(), outputs, "{place}: outputs");
        }
        if let Some(code) = &expect.code {
            assert_eq!(&report.error.as_ref().unwrap().failure.code, code, "{place}: why it failed");
        }
        if let Some(says) = &expect.says {
            let message = &report.error.as_ref().unwrap().failure.message;
            assert!(message.contains(says.as_str()), "{place}: it says {message}");
        }
        if let Some(uncompensated) = &expect.uncompensated {
            let found: Vec<_> = report.uncompensated.iter().map(ToString::to_string).collect();
            assert_eq!(&found, uncompensated, "{place}: what could not be undone");
        }
        if let Some(queued) = expect.queued {
            assert_eq!(runtime.is_queued(key), queued, "{place}: whether it waits in line");
        }
        if let Some(stalled) = &expect.stalled {
            let reason = runtime.stalled(key).map(|stalled| stalled.reason).unwrap_or_default();
            assert_eq!(reason.is_empty(), stalled.is_empty(), "{place}: {reason}");
            assert!(reason.contains(stalled.as_str()), "{place}: {reason}");
        }
        let records = self.store.read(key, 0, 10_000).unwrap();
        if let Some(events) = expect.events {
            assert_eq!(records.len(), events, "{place}: events");
        }
        if let Some(took) = &expect.took {
            let (first, last) = (records.first().unwrap().1.at.0, records.last().unwrap().1.at.0);
            let (took, expected) = (Duration::from_millis(last - first), duration(took));
            // Steps and attempts take milliseconds.
            let close = expected..expected + Duration::from_millis(900);
            assert!(close.contains(&took), "{place}: it took {took:?}");
        }
    }
}

fn reply(approve: Option<bool>, data: &Value) -> Reply {
    match approve {
        Some(approved) => {
            let data = Some(data.clone()).filter(|data| !data.is_null());
            Reply::Decision { approved, by: "ada".into(), comment: None, data }
        }
        None => Reply::Data(data.clone()),
    }
}

fn called(made: &Made) -> String {
    match made.item {
        Some(item) => format!("{}[{item}]", made.node),
        None => made.node.to_string(),
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::Asked => "asked".to_owned(),
        Why::Unfinished(status) => format!("was {status}"),
        Why::Changed => "changed".to_owned(),
        Why::New => "new".to_owned(),
        Why::Undone => "undone".to_owned(),
        Why::Follows(node) => format!("follows {node}"),
        Why::Files => "files".to_owned(),
    }
}

fn json(report: &RunReport) -> Value {
    serde_json::to_value(report).unwrap()
}
