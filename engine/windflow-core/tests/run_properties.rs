//! What holds for every workflow and every pattern of outcomes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::HashMap;

use proptest::prelude::*;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::{Digest, NodeId};
use windflow_core::json::Json;
use windflow_core::plan::{self, FiresOn, NodeIndex, Plan};
use windflow_core::retry;
use windflow_core::run::{
    Effect, EndStatus, Event, KeptLog, NodeState, Phase, Record, RunStarted, RunState, SkipReason, Step, Timestamp,
    apply,
};
use windflow_core::workflow::{Join, Workflow, validate};
use windflow_testkit::documents::{Scripted, scripted};
use windflow_testkit::host::{Outcome, ScriptedHost};

/// The smallest thing that does what a run asks for: outcomes follow from node and attempt alone, and of all that is in
/// flight the first node of the file ends first.
struct Driver<'a> {
    plan: &'a Plan,
    script: &'a HashMap<String, Vec<Outcome>>,
    state: RunState,
    journal: Vec<Record>,
    in_flight: Vec<(Step, u32)>,
}

impl<'a> Driver<'a> {
    fn new(plan: &'a Plan, script: &'a HashMap<String, Vec<Outcome>>, journal: &[Record]) -> Self {
        let mut state = RunState::new(plan);
        for record in journal {
            apply(&mut state, plan, record).expect("what was journalled replays");
        }
        Self { plan, script, state, journal: journal.to_vec(), in_flight: Vec::new() }
    }

    fn append(&mut self, event: Event) {
        let record = Record::new(Timestamp(self.journal.len() as u64), event);
        apply(&mut self.state, self.plan, &record).unwrap_or_else(|error| panic!("{error}\n{:#?}", self.journal));
        self.journal.push(record);
    }

    /// One step: an effect begun, or an attempt ended. False when the run is over.
    fn step(&mut self) -> bool {
        if matches!(self.state.phase(), Phase::New) {
            self.append(started());
        }
        let effects = self.state.take_effects();
        for effect in &effects {
            self.interpret(effect);
        }
        if matches!(self.state.phase(), Phase::Ended { .. }) {
            return false;
        }
        if effects.is_empty() {
            let next = self.in_flight.iter().enumerate().min_by_key(|(_, (step, _))| *step).map(|(at, _)| at);
            let next = next.unwrap_or_else(|| panic!("the run is stuck\n{:#?}", self.state));
            let (step, attempt) = self.in_flight.remove(next);
            if self.state.wants_attempt(step, attempt) {
                self.end(step, attempt);
            }
        }
        true
    }

    fn interpret(&mut self, effect: &Effect) {
        let id = |node: &NodeIndex| self.plan.node(*node).id.clone();
        match effect {
            Effect::Skip { node, reason } if goes_on(&self.state) => {
                self.append(Event::NodeSkipped { node: id(node), reason: *reason });
            }
            Effect::Skip { .. } => {}
            Effect::Attempt { step, attempt, unknown, .. } => {
                let node = &step.node;
                if !self.state.wants_attempt(*step, *attempt) {
                    return;
                }
                let planned = self.plan.node(*node);
                let holds = planned
                    .condition
                    .as_ref()
                    .is_none_or(|condition| condition.evaluate_bool(&serde_json::json!({})).unwrap());
                if *attempt == 1 && !holds {
                    return self.append(Event::NodeSkipped { node: id(node), reason: SkipReason::Condition });
                }
                if let (None, Some(each)) = (step.item, &planned.for_each) {
                    let items = Json::from(each.items.render(&serde_json::json!({})).unwrap());
                    return self.append(Event::ItemsListed { node: id(node), items });
                }
                if !planned.pure && !unknown {
                    self.append(Event::AttemptStarted {
                        node: id(node),
                        item: step.item,
                        attempt: *attempt,
                        key: id(node).to_string(),
                        wait: None,
                    });
                }
                self.in_flight.push((*step, *attempt));
            }
            Effect::Cancel { step, attempt } => {
                let node = id(&step.node);
                self.append(Event::AttemptCancelled { node, item: step.item, attempt: *attempt });
            }
            Effect::Finish { status } => {
                self.append(Event::RunFinished {
                    status: *status,
                    outputs: None,
                    failure: None,
                    uncompensated: Vec::new(),
                });
            }
        }
    }

    fn end(&mut self, step: Step, attempt: u32) {
        let Step { node: index, item } = step;
        let node = self.plan.node(index).id.clone();
        let outcomes = &self.script[node.as_str()];
        let outcome = outcomes.get(attempt as usize - 1).or(outcomes.last()).unwrap();
        let hint = match outcome {
            Outcome::Emit(port) => {
                let (port, output) = (port.parse().unwrap(), Json::null());
                return self.append(Event::AttemptSucceeded {
                    node,
                    item,
                    attempt,
                    port,
                    output,
                    took_us: 1,
                    log: KeptLog::default(),
                });
            }
            Outcome::Fail => RetryHint::MayHelp,
            Outcome::FailForGood | Outcome::Hang => RetryHint::Never,
        };
        let failure = Failure { retry: hint, ..Failure::new(FailureKind::Node, "scripted") };
        let wait = retry::wait(self.plan.node(index).retry.as_ref(), attempt, &failure, 0.5);
        let retry_at = wait.filter(|_| goes_on(&self.state)).map(|_| Timestamp(1));
        self.append(Event::AttemptFailed {
            node,
            item,
            attempt,
            failure,
            retry_at,
            took_us: 1,
            log: KeptLog::default(),
        });
    }

    fn run(&mut self) {
        // Every node has at most three attempts, each with a beginning and an end; effects come between.
        let most = 100 * (self.plan.nodes().len() + 2);
        for _ in 0..most {
            if !self.step() {
                return;
            }
        }
        panic!("the run does not end\n{:#?}", self.state);
    }
}

/// Whether attempts may begin.
fn goes_on(state: &RunState) -> bool {
    matches!(state.phase(), Phase::Running | Phase::Compensating { .. })
}

fn started() -> Event {
    Event::RunStarted(Box::new(RunStarted {
        workflow: "random".parse().unwrap(),
        document: Digest::of(b""),
        inputs: Json::from(serde_json::json!({})),
        components: Default::default(),
        grants: Default::default(),
        started_by: "test".into(),
        allowed: Default::default(),
        children: Default::default(),
        parent: None,
        repeats: None,
        reused: Default::default(),
        callbacks: None,
        trace: None,
        trace_state: None,
    }))
}

fn compile(document: &str) -> Plan {
    let (workflow, problems) = Workflow::parse(document);
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:#?}\n{document}");
    let workflow = workflow.unwrap();
    let host = ScriptedHost::default();
    let problems = validate(&workflow, &host);
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:#?}\n{document}");
    plan::build(&workflow, &host).unwrap()
}

/// A state with its effects taken: what is due is no part of what happened.
fn settled(mut state: RunState) -> RunState {
    state.take_effects();
    state
}

fn fires(state: &NodeState, on: &FiresOn) -> bool {
    match (state, on) {
        (state, FiresOn::Settled) => state.is_settled(),
        (NodeState::Succeeded { .. }, FiresOn::Success) | (NodeState::Failed(_), FiresOn::Error) => true,
        (NodeState::Succeeded { port, .. }, FiresOn::Port(wanted)) => port == wanted,
        _ => false,
    }
}

/// Whether the needs of a node are met, said anew and directly from the rules.
fn may_start(plan: &Plan, state: &RunState, index: NodeIndex) -> bool {
    let node = plan.node(index);
    let fired = node.needs.iter().filter(|edge| fires(&state.node(edge.from).state, &edge.on)).count();
    let needs_met = match node.join {
        Join::All => fired == node.needs.len(),
        Join::Any => fired > 0 || node.needs.is_empty(),
    };
    let references_settled = plan.nodes().all(|(from, source)| {
        let waited = source.out.iter().any(|edge| edge.to == index && edge.need.is_none());
        !waited || state.node(from).state.is_settled()
    });
    needs_met && references_settled && !node.disabled
}

fn words(state: &RunState, plan: &Plan) -> Vec<(NodeId, &'static str, u32)> {
    plan.nodes()
        .map(|(index, node)| (node.id.clone(), state.node(index).state.word(), state.node(index).attempts))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_no_node_starts_before_its_needs(Scripted { document, script } in scripted(12)) {
        let plan = compile(&document);
        let mut driver = Driver::new(&plan, &script, &[]);
        driver.run();
        let mut state = RunState::new(&plan);
        for record in &driver.journal {
            if let Event::AttemptStarted { node, .. } | Event::AttemptSucceeded { node, .. } = &record.event {
                let index = plan.index(node).unwrap();
                if plan.node(index).compensates {
                    let undoing = matches!(state.phase(), Phase::Compensating { .. });
                    prop_assert!(undoing, "{node} undoes before the run has failed\n{document}");
                    apply(&mut state, &plan, record).unwrap();
                    continue;
                }
                prop_assert!(may_start(&plan, &state, index), "{node} started too early\n{document}");
            }
            apply(&mut state, &plan, record).unwrap();
        }
        let unhandled = plan.nodes().any(|(index, node)| {
            matches!(state.node(index).state, NodeState::Failed(_)) && !node.handles_error && !node.compensates
        });
        let Phase::Ended { status, .. } = state.phase() else { panic!("not ended") };
        prop_assert_eq!(*status, if unhandled { EndStatus::Failed } else { EndStatus::Succeeded });
        for (index, node) in plan.nodes() {
            let Some(by) = node.compensate else { continue };
            let ran = state.node(by).attempts > 0;
            let succeeded = matches!(state.node(index).state, NodeState::Succeeded { .. });
            prop_assert!(!ran || unhandled, "{} was undone in a run that succeeded\n{document}", node.id);
            let did_something = succeeded && !(node.for_each.is_some() && state.node(index).attempts == 0);
            prop_assert!(ran || !did_something || !unhandled, "{} was not undone\n{document}", node.id);
        }
    }

    #[test]
    fn any_prefix_of_a_journal_replays_to_the_same_state(Scripted { document, script } in scripted(10)) {
        let plan = compile(&document);
        let mut driver = Driver::new(&plan, &script, &[]);
        let mut seen = vec![settled(driver.state.clone())];
        while driver.step() {
            seen.push(settled(driver.state.clone()));
        }
        let mut replayed = RunState::new(&plan);
        let mut states = vec![settled(replayed.clone())];
        for record in &driver.journal {
            apply(&mut replayed, &plan, record).unwrap();
            states.push(settled(replayed.clone()));
        }
        prop_assert!(seen.iter().all(|state| states.contains(state)));
        prop_assert_eq!(settled(driver.state.clone()), settled(replayed));
    }

    #[test]
    fn a_crash_at_any_point_changes_nothing(Scripted { document, script } in scripted(8)) {
        let plan = compile(&document);
        let mut whole = Driver::new(&plan, &script, &[]);
        whole.run();
        for survived in 0..=whole.journal.len() {
            let mut recovered = Driver::new(&plan, &script, &whole.journal[..survived]);
            recovered.run();
            prop_assert_eq!(words(&recovered.state, &plan), words(&whole.state, &plan), "crash after {}\n{}", survived, &document);
        }
    }

    #[test]
    fn cancelling_at_any_point_ends_the_run(Scripted { document, script } in scripted(10), at in 0..40_usize) {
        let plan = compile(&document);
        let mut driver = Driver::new(&plan, &script, &[]);
        for _ in 0..at {
            if !driver.step() {
                return Ok(());
            }
        }
        if *driver.state.phase() == Phase::Running {
            driver.append(Event::CancelRequested { by: "test".into() });
            let begun = driver.journal.len();
            driver.run();
            let starts = driver.journal[begun..].iter().any(|record| match &record.event {
                Event::AttemptStarted { node, .. } => !plan.node(plan.index(node).unwrap()).compensates,
                _ => false,
            });
            prop_assert!(!starts, "nothing starts in a run that is being cancelled");
            let ended_cancelled = matches!(driver.state.phase(), Phase::Ended { status: EndStatus::Cancelled, .. });
            prop_assert!(ended_cancelled);
        }
    }
}

#[test]
fn events_that_do_not_fit_are_refused_and_change_nothing() {
    let plan =
        compile("windflow: 1\nname: random\nnodes:\n  a: { uses: effect@1 }\n  b: { uses: pure@1, needs: [a] }\n");
    let attempt = |node: &str, attempt| Event::AttemptStarted {
        node: node.parse().unwrap(),
        item: None,
        attempt,
        key: String::new(),
        wait: None,
    };
    let success = |node: &str| Event::AttemptSucceeded {
        node: node.parse().unwrap(),
        item: None,
        attempt: 1,
        port: "out".parse().unwrap(),
        output: Json::null(),
        took_us: 0,
        log: KeptLog::default(),
    };
    let finished =
        Event::RunFinished { status: EndStatus::Succeeded, outputs: None, failure: None, uncompensated: Vec::new() };
    let refused: &[(&[Event], Event)] = &[
        (&[], attempt("a", 1)),
        (&[started()], started()),
        (&[started()], attempt("a", 2)),
        (&[started()], attempt("b", 1)),
        (&[started()], success("a")),
        (&[started()], success("b")),
        (&[started()], finished.clone()),
        (&[started()], attempt("zzz", 1)),
        (&[started(), attempt("a", 1)], attempt("a", 1)),
        (&[started(), attempt("a", 1), success("a")], success("a")),
        (&[started(), attempt("a", 1), success("a")], attempt("b", 1)),
        (&[started(), attempt("a", 1), success("a"), success("b"), finished.clone()], finished),
    ];
    for (before, event) in refused {
        let mut state = RunState::new(&plan);
        for event in *before {
            apply(&mut state, &plan, &Record::new(Timestamp(0), event.clone())).unwrap();
        }
        let untouched = state.clone();
        assert!(apply(&mut state, &plan, &Record::new(Timestamp(0), event.clone())).is_err(), "{event:?}");
        assert_eq!(state, untouched, "{event:?}");
    }
}
