//! A workflow held against itself and the installed node types.

use super::{Node, Trigger, Workflow, concurrency, config, duration, outputs};
use crate::expression::{Kind, Reference, Target, Template};
use crate::id::{NodeId, NodeTypeRef, PortName};
use crate::manifest::{DEFAULT_PORT, ERROR_PORT};
use crate::native::{Native, WithNative};
use crate::place::Place;
use crate::plan;
use crate::ports::host::{InstalledNodeType, Registry};
use crate::problem::{self, Problem, did_you_mean, list, nearest};
use crate::schema::fill_defaults;

mod granted;

pub(super) fn validate(workflow: &Workflow, registry: &(impl Registry + ?Sized)) -> Vec<Problem> {
    let mut problems = Vec::new();
    let registry = &WithNative(registry);
    for node in workflow.nodes.values() {
        if is_enough(&problems) {
            break;
        }
        check_node(workflow, node, registry, &mut problems);
    }
    for (name, output) in &workflow.outputs {
        references(workflow, None, output.value.references(), &mut problems);
        outputs::check(name, output, &mut problems);
    }
    for template in &workflow.permissions.http {
        for reference in template.references() {
            if !matches!(reference.target, Target::Inputs(_)) {
                let message = format!("a permission reads `inputs` only, but this reads `{}`", reference.target);
                problems.push(Problem::error("permission_scope", &reference.place, message));
            }
        }
        references(workflow, None, template.references(), &mut problems);
    }
    if let Some(key) = workflow.concurrency.as_ref().and_then(|concurrency| concurrency.key.as_ref()) {
        concurrency::validate(key, &mut problems);
        references(workflow, None, key.references(), &mut problems);
    }
    for input in workflow.inputs.values() {
        for error in input.default.iter().filter_map(|default| input.checker.check(default).err()).flatten() {
            let message = format!("the default does not fit the input's own schema: {error}");
            problems.push(Problem::error("invalid_default", &input.place, message));
        }
    }
    for (_, trigger) in &workflow.triggers {
        check_trigger(workflow, trigger, &mut problems);
    }
    cycles(workflow, &mut problems);
    problem::sort(&mut problems);
    problems
}

/// Searching the nearest spelling among thousands of names, for thousands of problems that nobody is told, would take long.
fn is_enough(problems: &[Problem]) -> bool {
    problems.len() > 2 * problem::MAX_TOLD
}

fn check_node(workflow: &Workflow, node: &Node, registry: &(impl Registry + ?Sized), problems: &mut Vec<Problem>) {
    for need in node.needs.iter().flatten() {
        if is_enough(problems) {
            return;
        }
        match workflow.nodes.get(&need.node) {
            // Its ports are not known.
            Some(_) if ["with", "uses"].iter().any(|part| workflow.is_unreadable(part, &need.node)) => {}
            Some(source) => check_port(source, need.port.as_ref(), &need.place, registry, problems),
            None => problems.extend(unknown_node(workflow, &need.node, &need.place)),
        }
    }
    check_items(workflow, node, problems);
    check_compensation(workflow, node, problems);
    references(workflow, Some(node), plan::references(node), problems);
    if workflow.is_unreadable("uses", &node.id.value) {
        return;
    }
    let Some(installed) = registry.get(&node.uses.value) else {
        problems.push(unknown_type(registry, &node.uses.value, &node.uses.place));
        return;
    };
    if !workflow.is_unreadable("with", &node.id.value) {
        let with = fill_defaults(&node.with, &installed.node_type().config);
        config::check(&node.uses, &with, installed.node_type(), &node.id.place, problems);
    }
    if Native::find(&node.uses.value) == Some(Native::Wait) {
        check_wait(node, problems);
    }
    check_ports_from(&installed, node, problems);
    granted::check(workflow, node, &installed, problems);
}

/// How long, or until when, is known before the run where no expression tells it.
fn check_wait(node: &Node, problems: &mut Vec<Problem>) {
    let written = |field: &str| node.with.get(field).and_then(|template| Some((template.as_str()?, &template.place)));
    if let Some((text, place)) = written("for").filter(|(text, _)| duration::parse(text).is_none()) {
        let message = format!("`for: {text}` is no duration");
        let remedy = "write it as 500ms, 10s, 5m, 1h30m or 2d; at most 366d";
        problems.push(Problem::error("invalid_duration", place, message).remedy(remedy));
    }
    // The run reads it to the letter; here it is enough to find what is none at all.
    let is_instant =
        |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('-') && text.contains(':');
    if let Some((text, place)) = written("until").filter(|(text, _)| !is_instant(text)) {
        let message = format!("`until: {text}` is no instant");
        problems.push(Problem::error("invalid_instant", place, message).remedy("write it as 2026-12-24T18:00:00Z"));
    }
}

/// `item` is known within a node's configuration only, and only where there are items.
fn check_items(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    let has_items = node.for_each.is_some() || workflow.is_unreadable("for_each", &node.id.value);
    let everywhere = node.condition.iter().flat_map(|condition| condition.references());
    let outside = everywhere.chain(node.for_each.iter().flat_map(|each| each.items.references()));
    let unknown = node.with.references().filter(|_| !has_items).chain(outside);
    for reference in unknown.filter(|reference| matches!(reference.target, Target::Item | Target::ItemIndex)) {
        let message = format!("`{}` is known in the `with` of a node with `for_each` only", reference.target);
        problems.push(
            Problem::error("no_item_here", &reference.place, message).remedy("add `for_each: ${{ … }}` to the node"),
        );
    }
}

/// A node that undoes another does nothing else.
fn check_compensation(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    if let Some(by) = &node.compensate {
        let Some(handler) = workflow.nodes.get(&by.value) else {
            problems.extend(unknown_node(workflow, &by.value, &by.place));
            return;
        };
        let others = workflow.nodes.values().take_while(|other| other.id.value != node.id.value);
        let taken = others.filter_map(|other| other.compensate.as_ref()).any(|other| other.value == by.value);
        let problem = if handler.id.value == node.id.value {
            Some("a node cannot undo itself".to_owned())
        } else if taken {
            Some(format!("`{}` undoes another node already", by.value))
        } else {
            handler.compensate.as_ref().map(|_| format!("`{}` undoes, and is not undone itself", by.value))
        };
        problems.extend(problem.map(|message| Problem::error("invalid_compensation", &by.place, message)));
    }
    if node.compensates
        && let Some(need) = node.needs.iter().flatten().next()
    {
        let message =
            format!("`{}` undoes another node, so that it starts when the run fails, and on no edge", node.id.value);
        problems.push(Problem::error("invalid_compensation", &need.place, message).remedy("take its `needs` away"));
    }
    let edges = node.needs.iter().flatten().map(|need| (&need.value.node, &need.place));
    let reads = plan::references(node).filter_map(|reference| Some((reference.node()?, &reference.place)));
    for (id, place) in edges.chain(reads.filter(|_| !node.compensates)) {
        if workflow.nodes.get(id).is_some_and(|source| source.compensates) {
            let message = format!("`{id}` undoes another node: nothing runs after it");
            problems.push(Problem::error("invalid_compensation", place, message));
        }
    }
}

/// Names of ports that a configuration chooses must be names of ports.
fn check_ports_from(installed: &InstalledNodeType, node: &Node, problems: &mut Vec<Problem>) {
    let Some(names) = installed.node_type().ports_from.as_ref().and_then(|field| node.with.get(field)) else { return };
    for name in names.keys() {
        let why = match name.parse::<PortName>() {
            Err(error) => error.to_string(),
            Ok(_) if name == ERROR_PORT => "the port `error` is where failures go".to_owned(),
            Ok(_) => continue,
        };
        let place = match &names.kind {
            Kind::Map(fields) => fields.get(name).map_or(&names.place, |field| &field.key),
            _ => &names.place,
        };
        problems.push(Problem::error("invalid_port", place, why));
    }
}

fn check_port(
    source: &Node,
    port: Option<&PortName>,
    place: &Place,
    registry: &(impl Registry + ?Sized),
    problems: &mut Vec<Problem>,
) {
    let Some(port) = port.filter(|port| port.as_str() != ERROR_PORT) else { return };
    let Some(installed) = registry.get(&source.uses.value) else { return };
    if source.for_each.is_some() && port.as_str() != DEFAULT_PORT {
        let message = format!("node `{}` runs for each of several items and emits once, on `out`", source.id.value);
        let remedy = format!("write `{}` and look at its output, a list", source.id.value);
        problems.push(Problem::error("port_of_items", place, message).remedy(remedy));
        return;
    }
    let ports = plan::ports(installed.node_type(), &source.with);
    if source.for_each.is_none() && !ports.contains(port) {
        let known = ports.iter().map(PortName::as_str).chain([ERROR_PORT]);
        let remedy =
            did_you_mean(port.as_str(), known.clone()).unwrap_or_else(|| format!("its ports are {}", list(known)));
        let message = format!("node `{}` has no port `{port}`", source.id.value);
        problems.push(Problem::error("unknown_port", place, message).remedy(remedy));
    }
}

fn references<'a>(
    workflow: &Workflow,
    node: Option<&Node>,
    references: impl Iterator<Item = &'a Reference>,
    problems: &mut Vec<Problem>,
) {
    for reference in references {
        if is_enough(problems) {
            return;
        }
        match &reference.target {
            Target::Inputs(Some(name)) => check_input(workflow, name, &reference.place, problems),
            Target::Output(id) | Target::Error(id) | Target::Status(id) => {
                if !workflow.nodes.contains_key(id) {
                    problems.extend(unknown_node(workflow, id, &reference.place));
                } else if node.is_some_and(|node| node.id.value == *id) {
                    problems.push(Problem::error(
                        "self_reference",
                        &reference.place,
                        format!("node `{id}` refers to itself"),
                    ));
                }
            }
            Target::Callback(id) => check_callback(workflow, id, &reference.place, problems),
            Target::Item | Target::ItemIndex if node.is_none() => {
                let message = format!("`{}` is known in the `with` of a node with `for_each` only", reference.target);
                problems.push(Problem::error("no_item_here", &reference.place, message));
            }
            Target::Input if node.is_none() => {
                let message = "`input` is what came into a node; here there is none";
                problems.push(
                    Problem::error("no_input_here", &reference.place, message).remedy("name a node: nodes.<id>.output"),
                );
            }
            Target::Inputs(None)
            | Target::Input
            | Target::Item
            | Target::ItemIndex
            | Target::RunId
            | Target::Trigger => {}
        }
    }
}

/// A node that is asked for its address waits for a report, and is one.
fn check_callback(workflow: &Workflow, id: &NodeId, place: &Place, problems: &mut Vec<Problem>) {
    let Some(asked) = workflow.nodes.get(id) else {
        problems.extend(unknown_node(workflow, id, place));
        return;
    };
    let (why, remedy) = if Native::find(&asked.uses.value) != Some(Native::Callback) {
        (format!("`{}` waits for no report", asked.uses.value), "name a node that uses `callback@1`")
    } else if asked.for_each.is_some() {
        (
            "each of its items has an address of its own".to_owned(),
            "take its `for_each` away, or let it wait for an event",
        )
    } else {
        return;
    };
    if !workflow.is_unreadable("uses", id) {
        problems
            .push(Problem::error("no_callback", place, format!("node `{id}` has no address: {why}")).remedy(remedy));
    }
}

fn check_input(workflow: &Workflow, name: &str, place: &Place, problems: &mut Vec<Problem>) {
    if workflow.inputs.contains_key(name) || workflow.is_unreadable("inputs", name) {
        return;
    }
    let known = workflow.inputs.keys().map(String::as_str);
    let remedy = did_you_mean(name, known.clone()).unwrap_or_else(|| match workflow.inputs.len() {
        0 => "the workflow has no `inputs` yet".to_owned(),
        _ => format!("its inputs are {}", list(known)),
    });
    problems.push(Problem::error("unknown_input", place, format!("the workflow has no input `{name}`")).remedy(remedy));
}

/// A trigger fills inputs out of what it brings, before there is a run.
fn check_trigger(workflow: &Workflow, trigger: &Trigger, problems: &mut Vec<Problem>) {
    for (name, template) in &trigger.inputs {
        check_input(workflow, name, &template.place, problems);
    }
    let templates = trigger.inputs.values().chain([&trigger.with]);
    for reference in templates.flat_map(Template::references) {
        if reference.target != Target::Trigger {
            let message = format!("a trigger reads `trigger` only, but this reads `{}`", reference.target);
            problems.push(Problem::error("trigger_scope", &reference.place, message));
        }
    }
}

fn unknown_node(workflow: &Workflow, id: &NodeId, place: &Place) -> Option<Problem> {
    if workflow.is_unreadable("nodes", id) {
        return None;
    }
    let known = workflow.nodes.keys().map(NodeId::as_str);
    let remedy = did_you_mean(id.as_str(), known.clone()).unwrap_or_else(|| format!("there are {}", list(known)));
    Some(Problem::error("unknown_node", place, format!("there is no node `{id}`")).remedy(remedy))
}

fn unknown_type(registry: &(impl Registry + ?Sized), uses: &NodeTypeRef, place: &Place) -> Problem {
    let all = registry.list();
    let versions: Vec<String> =
        all.iter().filter(|(known, _)| known.name == uses.name).map(|(known, _)| known.to_string()).collect();
    let remedy = if versions.is_empty() {
        match nearest(&uses.name, all.iter().map(|(known, _)| &*known.name)) {
            Some(name) => {
                let known =
                    all.iter().rev().find(|(known, _)| &*known.name == name).map(|(known, _)| known.to_string());
                format!("did you mean `{}`?", known.unwrap_or_default())
            }
            None => "`windflow plugins list` shows what is installed".to_owned(),
        }
    } else {
        format!("installed is {}", list(versions.iter().map(String::as_str)))
    };
    Problem::error("unknown_node_type", place, format!("the node type `{uses}` is not installed")).remedy(remedy)
}

/// Cycles that are told of one document.
const MAX_CYCLES: usize = 10;

/// One cycle of every group of nodes that wait for each other. That a node refers to itself is told where it does.
fn cycles(workflow: &Workflow, problems: &mut Vec<Problem>) {
    let mut rest = workflow.clone();
    for _ in 0..MAX_CYCLES {
        let Some(cycle) = plan::find_cycle(&rest) else { return };
        let told = problems.iter().any(|problem| {
            problem.code == "self_reference" && cycle.len() == 2 && problem.message.contains(&format!("`{}`", cycle[0]))
        });
        if !told {
            problems.push(describe_cycle(&rest, &cycle));
        }
        rest.nodes.retain(|id, _| !cycle.contains(id));
    }
}

fn describe_cycle(workflow: &Workflow, cycle: &[NodeId]) -> Problem {
    let path = cycle.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" → ");
    let place = |id: &NodeId| workflow.nodes.get(id).map(|node| node.id.place.clone()).unwrap_or_default();
    let first = cycle.first().map(place).unwrap_or_default();
    let places: Vec<String> = cycle.iter().skip(1).map(|id| format!("{id} at {}", place(id))).collect();
    Problem::error("cycle", &first, format!("nodes wait for each other: {path}"))
        .remedy(format!("take one of these edges away ({})", places.join(", ")))
}
