//! `windflow plan`

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Deserialize;
use windflow_core::expression::Kind;
use windflow_core::id::OrganisationId;
use windflow_core::manifest::Text;
use windflow_core::plan::{self, FiresOn, Plan, PlanNode};
use windflow_core::ports::credentials::Credentials;
use windflow_core::ports::host::Registry;
use windflow_core::workflow::{self, Children, Join, Known, Node, ReachedKind, Workflow, format_duration};

use super::document;
use crate::cli::{Global, PlanArgs};
use crate::credentials::FromUser;
use crate::{engine, render};

pub(crate) fn run(global: &Global, args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let host = engine::checker(global)?;
    let credentials = FromUser::described(global.credentials.as_deref())?;
    let (_, workflow, children) = document::check(&args.file, &host)?.into_valid(&args.file)?;
    show(&workflow, &host, &reached(&workflow, &children, &host, &credentials))?;
    Ok(ExitCode::SUCCESS)
}

/// One thing that may be reached, whoever found it.
#[derive(Debug, Deserialize)]
pub(crate) struct Reached {
    kind: String,
    what: Text,
    nodes: Vec<String>,
}

/// Prints what a workflow does, and what it may reach.
///
/// # Errors
/// Where it cannot be planned, or stdout is closed.
pub(crate) fn show(workflow: &Workflow, registry: &dyn Registry, reached: &[Reached]) -> anyhow::Result<()> {
    let plan = plan::build(workflow, registry)?;
    let mut text = format!("{}\n", workflow.name.value);
    graph(&mut text, &plan);
    compensations(&mut text, &plan);
    reach(&mut text, workflow, registry, reached);
    render::result(&text)
}

/// What only runs where the run does not succeed.
fn compensations(text: &mut String, plan: &Plan) {
    let mut undone: Vec<_> = plan.nodes().filter(|(_, node)| node.compensate.is_some()).collect();
    undone.sort_by_key(|(_, node)| std::cmp::Reverse(node.rank));
    let rows: Vec<Vec<String>> = undone
        .iter()
        .filter_map(|(_, node)| {
            let by = plan.node(node.compensate?);
            Some(vec![format!("  {}", by.id), by.uses.to_string(), format!("undoes {}", node.id)])
        })
        .collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "\nwhere the run fails or is cancelled");
        text.push_str(&render::table::table(&rows));
    }
}

/// The nodes by the length of the longest way to them: those of a step can run at the same time.
fn graph(text: &mut String, plan: &Plan) {
    let mut step = vec![0_usize; plan.nodes().len()];
    let mut waits: Vec<usize> = vec![0; step.len()];
    for (_, node) in plan.nodes() {
        for edge in &node.out {
            waits[edge.to.0 as usize] += 1;
        }
    }
    let mut open: Vec<_> =
        plan.nodes().filter(|(index, _)| waits[index.0 as usize] == 0).map(|(index, _)| index).collect();
    while let Some(index) = open.pop() {
        for edge in &plan.node(index).out {
            let to = edge.to.0 as usize;
            step[to] = step[to].max(step[index.0 as usize] + 1);
            waits[to] -= 1;
            if waits[to] == 0 {
                open.push(edge.to);
            }
        }
    }
    for number in 0..=step.iter().copied().max().unwrap_or(0) {
        let _ = writeln!(text, "\nstep {}", number + 1);
        let rows: Vec<Vec<String>> = plan
            .nodes()
            .filter(|(index, node)| step[index.0 as usize] == number && !node.compensates)
            .map(|(_, node)| vec![format!("  {}", node.id), node.uses.to_string(), describe(plan, node)])
            .collect();
        text.push_str(&render::table::table(&rows));
    }
}

fn describe(plan: &Plan, node: &PlanNode) -> String {
    let mut parts = Vec::new();
    if !node.needs.is_empty() {
        let needs: Vec<String> = node
            .needs
            .iter()
            .map(|edge| {
                let from = &plan.node(edge.from).id;
                match &edge.on {
                    FiresOn::Port(port) => format!("{from}.{port}"),
                    FiresOn::Error => format!("{from}.error"),
                    FiresOn::Success | FiresOn::Settled => from.to_string(),
                }
            })
            .collect();
        let join = if needs.len() > 1 && node.join == Join::Any { "any of " } else { "" };
        parts.push(format!("after {join}{}", needs.join(", ")));
    }
    if let Some(each) = &node.for_each {
        let items = match &each.items.kind {
            Kind::Expression(items) => format!("of {}", items.source().trim()),
            Kind::List(items) => format!("of {}", items.len()),
            _ => String::new(),
        };
        parts.push(format!("for each {items}, {} at a time", each.concurrency));
    }
    if let Some(by) = node.compensate {
        parts.push(format!("undone by {}", plan.node(by).id));
    }
    if node.disabled {
        parts.push("disabled".into());
    }
    if let Some(condition) = &node.condition {
        parts.push(format!("if {}", condition.source().trim()));
    }
    if let Some(retry) = &node.retry {
        parts.push(format!("up to {} attempts", retry.attempts));
    }
    if let Some(timeout) = node.timeout {
        parts.push(format!("at most {} an attempt", format_duration(timeout)));
    }
    parts.join(", ")
}

/// Everything that the workflow can touch, and those that it runs: what its nodes' plugins ask for, and what it grants of that.
fn reached(workflow: &Workflow, children: &Children, registry: &dyn Registry, credentials: &FromUser) -> Vec<Reached> {
    let known = |name: &str| match credentials.get(&OrganisationId::local(), name) {
        Ok(Some(credential)) => Known::Set(credential),
        _ => Known::Unset,
    };
    let all = workflow::reach(workflow, children, registry, &known).into_iter();
    all.map(|one| Reached { kind: one.kind.word().to_owned(), what: one.what, nodes: one.nodes }).collect()
}

fn reach(text: &mut String, workflow: &Workflow, registry: &dyn Registry, all: &[Reached]) {
    text.push_str("\nmay reach\n");
    let asking = |node: &Node| {
        let installed = registry.get(&node.uses.value)?;
        (!installed.pure && !installed.manifest.capabilities.http.is_empty()).then(|| node.id.value.to_string())
    };
    let asking: Vec<String> = workflow.nodes.values().filter_map(asking).collect();
    if workflow.permissions.http.is_empty() && !asking.is_empty() {
        let nodes = asking.join(", ");
        let _ = writeln!(text, "  no host: `permissions: http:` is empty, so that every request of {nodes} is denied");
    } else if all.is_empty() {
        text.push_str("  nothing: its nodes need no network, no files and no secrets\n");
    }
    for Reached { kind, what, nodes } in all {
        let from = if kind == ReachedKind::HandedFiles.word() { "by" } else { "from" };
        let _ = writeln!(text, "  {}, {from} {}", what.get("en"), nodes.join(", "));
    }
}
