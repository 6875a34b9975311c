//! What expressions see, and what they give: conditions, configurations and outputs.

use serde_json::{Map, Value};
use windflow_core::expression::{ExpressionError, Incoming, Lookup};
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{NodeId, RunKey};
use windflow_core::json::Json;
use windflow_core::plan::{FiresOn, NodeIndex, Plan, PlanNode};
use windflow_core::run::{MAX_ITEMS, NodeState, RunState, Step};
use windflow_core::schema::Checker;
use windflow_core::workflow::{ForEach, Join};

use crate::load::Prepared;

/// The values of a run, as seen from one of its nodes, or from its outputs.
pub(crate) struct Scope<'a> {
    key: &'a RunKey,
    plan: &'a Plan,
    state: &'a RunState,
    step: Option<Step>,
    /// Failures that came over `error` edges, as values.
    failures: Vec<(u32, Json)>,
    /// Where the step undoes a node: that one, and what it did, as far as it came.
    undone: Option<(NodeIndex, Json)>,
}

pub(crate) fn of_step<'a>(key: &'a RunKey, prepared: &'a Prepared, state: &'a RunState, step: Step) -> Scope<'a> {
    let (plan, index) = (&prepared.plan, step.node);
    let mut failures = Vec::new();
    for position in &state.node(index).fired {
        let edge = &plan.node(index).needs[*position as usize];
        if edge.on == FiresOn::Error
            && let Some(failure) = failure_value(state, edge.from)
        {
            failures.push((*position, Json::from(failure)));
        }
    }
    let undone = plan.node(index).compensates.then(|| undone(plan, state, index)).flatten();
    Scope { key, plan, state, step: Some(step), failures, undone }
}

/// What a node did that is to be undone: its output, or the outputs of its items, null for those that did not succeed.
fn undone(plan: &Plan, state: &RunState, by: NodeIndex) -> Option<(NodeIndex, Json)> {
    let (index, _) = plan.nodes().find(|(_, node)| node.compensate == Some(by))?;
    let run = state.node(index);
    let output = match (&run.state, &run.items) {
        (NodeState::Succeeded { output, .. }, _) => output.clone(),
        (_, Some(items)) => items.outputs(),
        _ => Json::null(),
    };
    Some((index, output))
}

/// The failure of a node that failed; of one that goes on without the items that fail, the list of theirs.
fn failure_value(state: &RunState, node: NodeIndex) -> Option<Value> {
    let run = state.node(node);
    match (&run.state, &run.items) {
        (NodeState::Failed(failure), _) => serde_json::to_value(failure).ok(),
        (NodeState::Succeeded { .. }, Some(items)) => {
            let failures = items.failures().filter_map(|(item, failure)| {
                let mut value = serde_json::to_value(failure).ok()?;
                value.as_object_mut()?.insert("item_index".into(), item.into());
                Some(value)
            });
            Some(failures.collect::<Vec<_>>()).filter(|failures| !failures.is_empty()).map(Value::Array)
        }
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
        let Some(Step { node: index, .. }) = self.step else { return Incoming::Nothing };
        if let Some((_, output)) = &self.undone {
            return Incoming::One(output);
        }
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

    fn item(&self) -> Option<(&Value, u32)> {
        let Step { node, item } = self.step?;
        let item = item?;
        Some((self.state.node(node).items.as_ref()?.value(item)?, item))
    }

    fn node_output(&self, node: &NodeId) -> Option<&Json> {
        if let Some((_, output)) = self.undone.as_ref().filter(|(undone, _)| self.plan.node(*undone).id == *node) {
            return Some(output);
        }
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

    fn callback(&self, node: &NodeId) -> Option<String> {
        Some(self.state.started()?.callbacks.as_ref()?.address(self.key, node))
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

/// The list that a node runs for.
pub(crate) fn items(each: &ForEach, scope: &Scope<'_>) -> Result<Json, Failure> {
    let value = each.items.render(scope).map_err(|error| failure("`for_each`", &error))?;
    let wrong = |message: String| Err(Failure::new(FailureKind::Expression, message));
    match &value {
        Value::Array(items) if items.len() <= MAX_ITEMS => Ok(Json::from(value)),
        Value::Array(items) => {
            wrong(format!("`for_each` takes {MAX_ITEMS} items at most, and this list has {}", items.len()))
        }
        other => wrong(format!("`for_each` needs a list, and this is {}", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The node's configuration, evaluated and held against its schema.
pub(crate) fn config(node: &PlanNode, checker: &Checker, scope: &Scope<'_>) -> Result<Value, Failure> {
    let value = node.with.render(scope).map_err(|error| failure("`with`", &error))?;
    if let Err(errors) = checker.check(&value) {
        let errors: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
        return Err(Failure::new(
            FailureKind::InvalidConfig,
            format!("`with` does not fit {}: {}", node.uses, errors.join("; ")),
        ));
    }
    Ok(value)
}

/// What the run gives back.
pub(crate) fn outputs(key: &RunKey, prepared: &Prepared, state: &RunState) -> Result<Value, Failure> {
    let scope = Scope { key, plan: &prepared.plan, state, step: None, failures: Vec::new(), undone: None };
    let mut outputs = Map::new();
    for (name, output) in prepared.plan.outputs() {
        let value = output.value.render(&scope).map_err(|error| failure(&format!("output `{name}`"), &error))?;
        if let Some(errors) = output.typed.as_ref().and_then(|typed| typed.checker.check(&value).err()) {
            let errors: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
            let message = format!("output `{name}` does not fit its type: {}", errors.join("; "));
            return Err(Failure::new(FailureKind::InvalidOutput, message));
        }
        outputs.insert(name.clone(), value);
    }
    Ok(Value::Object(outputs))
}

fn failure(what: &str, error: &ExpressionError) -> Failure {
    Failure::new(FailureKind::Expression, format!("{what}: {error}"))
}
