//! What expressions see, and what they give: conditions, configurations and outputs.

use serde_json::{Map, Value};
use windflow_core::expression::{ExpressionError, Incoming, Lookup};
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{NodeId, RunKey};
use windflow_core::json::Json;
use windflow_core::plan::{FiresOn, NodeIndex, Plan, PlanNode};
use windflow_core::run::{NodeState, RunState};
use windflow_core::schema::Checker;
use windflow_core::workflow::Join;

use crate::load::Prepared;

/// The values of a run, as seen from one of its nodes, or from its outputs.
pub(crate) struct Scope<'a> {
    key: &'a RunKey,
    plan: &'a Plan,
    state: &'a RunState,
    node: Option<NodeIndex>,
    /// Failures that came over `error` edges, as values.
    failures: Vec<(u32, Json)>,
}

pub(crate) fn of_node<'a>(key: &'a RunKey, prepared: &'a Prepared, state: &'a RunState, index: NodeIndex) -> Scope<'a> {
    let plan = &prepared.plan;
    let mut failures = Vec::new();
    for position in &state.node(index).fired {
        let edge = &plan.node(index).needs[*position as usize];
        if edge.on == FiresOn::Error
            && let Some(failure) = failure_value(state, edge.from)
        {
            failures.push((*position, Json::from(failure)));
        }
    }
    Scope { key, plan, state, node: Some(index), failures }
}

fn failure_value(state: &RunState, node: NodeIndex) -> Option<Value> {
    match &state.node(node).state {
        NodeState::Failed(failure) => serde_json::to_value(failure).ok(),
        _ => None,
    }
}

impl<'a> Scope<'a> {
    fn state_of(&self, id: &NodeId) -> Option<&'a NodeState> {
        self.plan.index(id).map(|index| &self.state.node(index).state)
    }

    /// What came over the edge in that position.
    fn over_edge(&self, index: NodeIndex, position: u32) -> Option<(&NodeId, &Json)> {
        let edge = &self.plan.node(index).needs[position as usize];
        let value = match &self.state.node(edge.from).state {
            NodeState::Succeeded { output, .. } => Some(output),
            _ => self.failures.iter().find(|(at, _)| *at == position).map(|(_, failure)| failure),
        };
        Some((&self.plan.node(edge.from).id, value?))
    }
}

impl Lookup for Scope<'_> {
    fn inputs(&self) -> &Value {
        self.state.started().map_or(&Value::Null, |started| started.inputs.value())
    }

    /// A node that needs nothing is started by the run itself: what comes in are the run's inputs.
    fn input(&self) -> Incoming<'_> {
        let Some(index) = self.node else { return Incoming::Nothing };
        let node = self.plan.node(index);
        let fired = &self.state.node(index).fired;
        let first = fired.first().and_then(|position| self.over_edge(index, *position));
        match (node.join, node.needs.len()) {
            (_, 0) => self.state.started().map_or(Incoming::Nothing, |started| Incoming::One(&started.inputs)),
            (Join::Any, _) | (Join::All, 1) => first.map_or(Incoming::Nothing, |(_, value)| Incoming::One(value)),
            (Join::All, _) => {
                // By the order of `needs`, not of arrival, which differs from run to run.
                let mut positions = fired.clone();
                positions.sort_unstable();
                Incoming::Several(positions.iter().filter_map(|position| self.over_edge(index, *position)).collect())
            }
        }
    }

    fn node_output(&self, node: &NodeId) -> Option<&Json> {
        match self.state_of(node) {
            Some(NodeState::Succeeded { output, .. }) => Some(output),
            _ => None,
        }
    }

    fn node_error(&self, node: &NodeId) -> Option<Value> {
        self.plan.index(node).and_then(|index| failure_value(self.state, index))
    }

    fn node_status(&self, node: &NodeId) -> Option<&str> {
        self.state_of(node).filter(|state| state.is_settled()).map(NodeState::word)
    }

    fn run_id(&self) -> Option<String> {
        Some(self.key.run.to_string())
    }
}

/// Whether the node runs.
pub(crate) fn condition(node: &PlanNode, scope: &Scope<'_>) -> Result<bool, Failure> {
    match &node.condition {
        Some(condition) => condition.evaluate_bool(scope).map_err(|error| failure("`if`", &error)),
        None => Ok(true),
    }
}

/// The node's configuration, evaluated and held against its schema, as JSON text.
pub(crate) fn config(node: &PlanNode, checker: &Checker, scope: &Scope<'_>) -> Result<Vec<u8>, Failure> {
    let value = node.with.render(scope).map_err(|error| failure("`with`", &error))?;
    if let Err(errors) = checker.check(&value) {
        let errors: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
        return Err(Failure::new(
            FailureKind::InvalidConfig,
            format!("`with` does not fit {}: {}", node.uses, errors.join("; ")),
        ));
    }
    serde_json::to_vec(&value).map_err(|error| Failure::new(FailureKind::InvalidConfig, error.to_string()))
}

/// What the run gives back.
pub(crate) fn outputs(key: &RunKey, prepared: &Prepared, state: &RunState) -> Result<Value, Failure> {
    let scope = Scope { key, plan: &prepared.plan, state, node: None, failures: Vec::new() };
    let mut outputs = Map::new();
    for (name, template) in prepared.plan.outputs() {
        let value = template.render(&scope).map_err(|error| failure(&format!("output `{name}`"), &error))?;
        outputs.insert(name.clone(), value);
    }
    Ok(Value::Object(outputs))
}

fn failure(what: &str, error: &ExpressionError) -> Failure {
    Failure::new(FailureKind::Expression, format!("{what}: {error}"))
}
