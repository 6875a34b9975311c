//! A workflow held against itself and the installed node types.

use super::{Node, Workflow, config};
use crate::expression::{Expression, Reference, Target};
use crate::id::{NodeId, NodeTypeRef, PortName};
use crate::manifest::ERROR_PORT;
use crate::place::Place;
use crate::plan;
use crate::ports::host::{InstalledNodeType, Registry};
use crate::problem::{self, Problem, did_you_mean, list, nearest};
use crate::schema::fill_defaults;

pub(super) fn validate(workflow: &Workflow, registry: &(impl Registry + ?Sized)) -> Vec<Problem> {
    let mut problems = Vec::new();
    for node in workflow.nodes.values() {
        check_node(workflow, node, registry, &mut problems);
    }
    for template in workflow.outputs.values() {
        references(workflow, None, template.references(), &mut problems);
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
    for input in workflow.inputs.values() {
        let fits = |default| crate::schema::Checker::new(&input.schema).is_ok_and(|checker| checker.check(default).is_ok());
        if input.default.as_ref().is_some_and(|default| !fits(default)) {
            problems.push(Problem::error("invalid_default", &input.place, "the default does not fit the input's own schema"));
        }
    }
    if let Some(cycle) = plan::find_cycle(workflow) {
        problems.push(describe_cycle(workflow, &cycle));
    }
    problem::sort(&mut problems);
    problems
}

fn check_node(workflow: &Workflow, node: &Node, registry: &(impl Registry + ?Sized), problems: &mut Vec<Problem>) {
    for need in node.needs.iter().flatten() {
        match workflow.nodes.get(&need.node) {
            Some(source) => check_port(source, need.port.as_ref(), &need.place, registry, problems),
            None => problems.push(unknown_node(workflow, &need.node, &need.place)),
        }
    }
    let condition = node.condition.iter().flat_map(|condition| Expression::references(condition));
    references(workflow, Some(node), node.with.references().chain(condition), problems);
    let Some(installed) = registry.get(&node.uses.value) else {
        problems.push(unknown_type(registry, &node.uses.value, &node.uses.place));
        return;
    };
    let with = fill_defaults(&node.with, &installed.node_type().config);
    config::check(&node.uses, &with, &installed.node_type().config, &node.id.place, problems);
    check_ports_from(&installed, node, problems);
    if let Some(credential) = node.with.get("credential").filter(|template| template.as_str().is_some()) {
        let name = credential.as_str().unwrap_or_default();
        if !workflow.permissions.credentials.iter().any(|granted| granted.value == name) {
            let message = format!("the credential `{name}` is not granted to this workflow");
            let remedy = format!("add to the workflow: permissions: {{ credentials: [{name}] }}");
            problems.push(Problem::error("credential_not_granted", &credential.place, message).remedy(remedy));
        }
    }
    if !installed.manifest.capabilities.http.is_empty() && workflow.permissions.http.is_empty() {
        let message = format!("`{}` sends requests, and this workflow grants no host: they will be denied", node.uses.value);
        let remedy = "add the hosts that it may reach: permissions: { http: [\"api.example.org\"] }";
        problems.push(Problem::warning("no_permission", &node.uses.place, message).remedy(remedy));
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
        problems.push(Problem::error("invalid_port", &names.place, why));
    }
}

fn check_port(source: &Node, port: Option<&PortName>, place: &Place, registry: &(impl Registry + ?Sized), problems: &mut Vec<Problem>) {
    let Some(port) = port.filter(|port| port.as_str() != ERROR_PORT) else { return };
    let Some(installed) = registry.get(&source.uses.value) else { return };
    let ports = plan::ports(installed.node_type(), &source.with);
    if !ports.contains(port) {
        let known = ports.iter().map(PortName::as_str).chain([ERROR_PORT]);
        let remedy = did_you_mean(port.as_str(), known.clone()).unwrap_or_else(|| format!("its ports are {}", list(known)));
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
        match &reference.target {
            Target::Inputs(Some(name)) if !workflow.inputs.contains_key(name) => {
                let known = workflow.inputs.keys().map(String::as_str);
                let remedy = did_you_mean(name, known.clone()).unwrap_or_else(|| match workflow.inputs.len() {
                    0 => "the workflow has no `inputs` yet".to_owned(),
                    _ => format!("its inputs are {}", list(known)),
                });
                let message = format!("the workflow has no input `{name}`");
                problems.push(Problem::error("unknown_input", &reference.place, message).remedy(remedy));
            }
            Target::Output(id) | Target::Error(id) | Target::Status(id) => {
                if !workflow.nodes.contains_key(id) {
                    problems.push(unknown_node(workflow, id, &reference.place));
                } else if node.is_some_and(|node| node.id.value == *id) {
                    problems.push(Problem::error("self_reference", &reference.place, format!("node `{id}` refers to itself")));
                }
            }
            Target::Input if node.is_none() => {
                let message = "`input` is what came into a node; here there is none";
                problems.push(Problem::error("no_input_here", &reference.place, message).remedy("name a node: nodes.<id>.output"));
            }
            Target::Inputs(_) | Target::Input | Target::RunId | Target::Trigger => {}
        }
    }
}

fn unknown_node(workflow: &Workflow, id: &NodeId, place: &Place) -> Problem {
    let known = workflow.nodes.keys().map(NodeId::as_str);
    let remedy = did_you_mean(id.as_str(), known.clone()).unwrap_or_else(|| format!("there are {}", list(known)));
    Problem::error("unknown_node", place, format!("there is no node `{id}`")).remedy(remedy)
}

fn unknown_type(registry: &(impl Registry + ?Sized), uses: &NodeTypeRef, place: &Place) -> Problem {
    let all = registry.list();
    let versions: Vec<String> = all.iter().filter(|(known, _)| known.name == uses.name).map(|(known, _)| known.to_string()).collect();
    let remedy = if versions.is_empty() {
        match nearest(&uses.name, all.iter().map(|(known, _)| &*known.name)) {
            Some(name) => {
                let known = all.iter().rev().find(|(known, _)| &*known.name == name).map(|(known, _)| known.to_string());
                format!("did you mean `{}`?", known.unwrap_or_default())
            }
            None => "`windflow plugins list` shows what is installed".to_owned(),
        }
    } else {
        format!("installed is {}", list(versions.iter().map(String::as_str)))
    };
    Problem::error("unknown_node_type", place, format!("the node type `{uses}` is not installed")).remedy(remedy)
}

fn describe_cycle(workflow: &Workflow, cycle: &[NodeId]) -> Problem {
    let path = cycle.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" → ");
    let place = |id: &NodeId| workflow.nodes.get(id).map(|node| node.id.place.clone()).unwrap_or_default();
    let first = cycle.first().map(place).unwrap_or_default();
    let places: Vec<String> = cycle.iter().skip(1).map(|id| format!("{id} at {}", place(id))).collect();
    Problem::error("cycle", &first, format!("nodes wait for each other: {path}"))
        .remedy(format!("take one of these edges away ({})", places.join(", ")))
}
