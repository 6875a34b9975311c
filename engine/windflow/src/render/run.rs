//! Runs as reports tell them: how they stand, how they ended, what they wait for. Whether this process or a server has run them makes no difference.

use std::fmt::Write as _;
use std::process::ExitCode;

use console::style;
use serde_json::Value;
use windflow_core::id::{NodeId, RunId};
use windflow_core::ports::store::RunStatus;
use windflow_core::run::{Asked, Timestamp};
use windflow_runtime::{NodeReport, QuestionReport, RunReport};

use super::table::table;
use super::{duration, shorten, status, time};
use crate::exit;

/// What a list shows of a run.
pub(crate) struct Row {
    pub(crate) run: RunId,
    pub(crate) workflow: String,
    pub(crate) status: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// The word for how a run stands, which is that of the API, too.
pub(crate) fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "running",
        RunStatus::Cancelling => "cancelling",
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

/// A list of runs.
pub(crate) fn list(runs: impl Iterator<Item = Row>) -> String {
    let mut rows = vec![["RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK"].map(String::from).to_vec()];
    rows.extend(runs.map(|run| {
        let took = run.finished_at.map(|end| duration(end.0.saturating_sub(run.started_at.0).saturating_mul(1000)));
        vec![run.run.to_string(), run.workflow, status(&run.status), time(run.started_at), took.unwrap_or_default()]
    }));
    table(&rows)
}

/// Whether a person or a trigger started a run, and no other run did.
pub(crate) fn is_by_itself(started_by: &str) -> bool {
    started_by.strip_prefix("run ").is_none_or(|run| run.parse::<RunId>().is_err())
}

/// What there is to say where no run has an id that begins so.
pub(crate) fn unknown(text: &str) -> String {
    match text {
        "last" => "there are no runs yet".into(),
        _ => format!("no run begins with {text}; `windflow runs list` shows them"),
    }
}

/// What a report does not tell of its run.
pub(crate) struct Head {
    pub(crate) workflow: String,
    pub(crate) started_at: Timestamp,
    pub(crate) started_by: String,
}

/// A run with its nodes; at the end what there is to know beside them.
///
/// # Errors
/// Where its outputs are no JSON, which they always are.
pub(crate) fn show(report: &RunReport, head: &Head, note: &str) -> anyhow::Result<String> {
    let Head { workflow, started_at, started_by } = head;
    let (word, started) = (status(&report.status), time(*started_at));
    let mut text = format!("{workflow}  {}  {word}  started {started} by {started_by}\n\n", report.run);
    let rows: Vec<_> = report.nodes.iter().map(|(node, run)| row(node.as_str(), run)).collect();
    text.push_str(&table(&rows));
    if let Some(outputs) = &report.outputs {
        write!(text, "\noutputs:\n{}\n", serde_json::to_string_pretty(outputs.value())?)?;
    }
    if let Some(error) = failure(report) {
        write!(text, "\n{error}\n")?;
    }
    if !report.uncompensated.is_empty() {
        let nodes = report.uncompensated.iter().map(NodeId::as_str).collect::<Vec<_>>().join(", ");
        write!(text, "\nnot undone: {nodes}; what was done there is still there, and somebody has to look\n")?;
    }
    if !note.is_empty() {
        write!(text, "\n{note}\n")?;
    }
    Ok(text)
}

fn row(name: &str, node: &NodeReport) -> Vec<String> {
    let items = node.items.as_ref().map(|items| format!("{} of {} items", items.settled, items.total));
    let what = match (&node.error, &node.output) {
        (Some(failure), _) => failure.to_string(),
        (None, Some(output)) => output.text().to_owned(),
        (None, None) => items.unwrap_or_default(),
    };
    let attempts = if node.attempts > 1 { format!("{} attempts", node.attempts) } else { String::new() };
    let took = format!("{:.1} ms", node.took_ms);
    vec![format!("  {}", status(&node.status)), name.to_owned(), took, attempts, shorten(&what, 90)]
}

/// Why a run failed, in one line.
fn failure(report: &RunReport) -> Option<String> {
    let error = report.error.as_ref()?;
    let at = match &error.node {
        Some(node) => format!("node {node}"),
        None if error.failure.code == "timeout" => "the run".to_owned(),
        None => "the outputs".to_owned(),
    };
    Some(format!("{at} failed: {}", error.failure))
}

/// What a run waits for somebody to answer, and how that is done; nothing where it waits for nobody. The runs that it waits for are looked at, too.
pub(crate) fn asked(report: &RunReport, child: &dyn Fn(RunId) -> Option<RunReport>) -> String {
    let mut text = String::new();
    for (node, run) in &report.nodes {
        for below in run.runs.iter().filter_map(|run| child(*run)) {
            let _ = writeln!(text, "{}", asked(&below, child));
        }
        for QuestionReport { item, question } in &run.questions {
            let item = item.map(|item| format!(" --item {item}")).unwrap_or_default();
            let message = question.message.as_deref().unwrap_or("waits for an answer");
            let event =
                question.event.as_ref().map(|event| format!(" (or the event {})", event.name)).unwrap_or_default();
            let _ = writeln!(text, "{node}: {}{event}", console::strip_ansi_codes(message));
            let run = report.run;
            let _ = match question.of {
                Asked::Person => writeln!(text, "  windflow runs approve {run} {node}{item}    (or reject)"),
                Asked::System => writeln!(text, "  windflow runs answer {run} {node}{item} --data JSON"),
            };
        }
    }
    text.trim_end().to_owned()
}

/// Prints how a run ended, or what it waits for.
pub(crate) fn finish(report: &RunReport, asked: &str, json: bool, quiet: bool) -> anyhow::Result<ExitCode> {
    if !quiet {
        let took: f64 = report.nodes.values().map(|node| node.took_ms).sum();
        let count = report.nodes.values().filter(|node| node.status == "succeeded").count();
        let nodes = report.nodes.len();
        super::line(&format!(
            "{}  {count} of {nodes} nodes, {took:.1} ms in nodes, run {}",
            status(&report.status),
            style(report.run).dim().for_stderr()
        ));
    }
    if let Some(error) = failure(report) {
        super::error(&error);
    }
    if !asked.is_empty() && !quiet {
        super::line(&format!("\nThe run is kept and waits for an answer:\n{asked}"));
    }
    if json {
        super::json(report)?;
    } else if let Some(outputs) = &report.outputs {
        outputs_to_stdout(outputs.value())?;
    }
    Ok(ExitCode::from(match &*report.status {
        "succeeded" => 0,
        "cancelled" => exit::INTERRUPTED,
        "running" if !asked.is_empty() => exit::WAITING,
        _ => exit::FAILED,
    }))
}

/// Text for a terminal, one JSON object for everything else.
fn outputs_to_stdout(outputs: &Value) -> anyhow::Result<()> {
    let Value::Object(values) = outputs else { return super::json(outputs) };
    if !console::user_attended() {
        return super::json(outputs);
    }
    for (name, value) in values {
        let text = match value {
            Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other)?,
        };
        let name = style(name).bold();
        if text.contains('\n') {
            super::result(&format!("\n{name}:\n{text}"))?;
        } else {
            super::result(&format!("{name}: {text}"))?;
        }
    }
    Ok(())
}

/// Prints which nodes of two runs ended differently; status 1 where any did.
pub(crate) fn diff(a: &RunReport, b: &RunReport) -> anyhow::Result<ExitCode> {
    let word = |node: Option<&NodeReport>| node.map_or("—".to_owned(), |node| status(&node.status));
    let text = |node: Option<&NodeReport>| {
        let node = node?;
        node.error.as_ref().map(ToString::to_string).or_else(|| Some(node.output.as_ref()?.text().to_owned()))
    };
    let what = |node| shorten(&text(node).unwrap_or_default(), 50);
    let mut rows = Vec::new();
    let names = a.nodes.keys().chain(b.nodes.keys().filter(|node| !a.nodes.contains_key(*node)));
    for name in names {
        let (before, after) = (a.nodes.get(name), b.nodes.get(name));
        let ended =
            |node: Option<&NodeReport>| node.map(|node| (node.status.clone(), node.output.clone(), node.error.clone()));
        if ended(before) != ended(after) {
            rows.push(vec![name.to_string(), word(before), what(before), word(after), what(after)]);
        }
    }
    if a.outputs != b.outputs {
        let text = |report: &RunReport| shorten(report.outputs.as_ref().map_or("", |outputs| outputs.text()), 50);
        rows.push(vec!["outputs".into(), status(&a.status), text(a), status(&b.status), text(b)]);
    }
    if rows.is_empty() {
        super::line("Every node ended the same, with the same output.");
        return Ok(ExitCode::SUCCESS);
    }
    super::result(&table(&rows))?;
    Ok(ExitCode::from(exit::FAILED))
}
