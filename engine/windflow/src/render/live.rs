//! A run as it goes on, on stderr: a line for each node that settled, and on a terminal a spinner for each that is at work.

use std::collections::HashMap;
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use windflow_core::failure::Failure;
use windflow_core::id::NodeId;
use windflow_core::ports::host::LogLevel;
use windflow_core::run::{Event, Record, SkipReason, Timestamp, Wait};
use windflow_runtime::Update;

use super::{duration, shorten, status};

/// Shows a run.
pub(crate) struct Live {
    terminal: Option<MultiProgress>,
    running: HashMap<NodeId, ProgressBar>,
    /// Widest name of a node, so that lines align.
    width: usize,
    /// How far nodes that run for each of several items have come.
    items: HashMap<NodeId, Items>,
}

struct Items {
    total: usize,
    settled: usize,
    failed: usize,
    began: Timestamp,
}

impl Drop for Live {
    fn drop(&mut self) {
        for (_, bar) in self.running.drain() {
            bar.finish_and_clear();
        }
    }
}

impl Live {
    /// For a workflow with these nodes.
    pub(crate) fn new<'a>(nodes: impl Iterator<Item = &'a NodeId>) -> Self {
        let terminal = console::user_attended_stderr().then(MultiProgress::new);
        let width = nodes.map(|node| node.as_str().len()).max().unwrap_or(0).min(40);
        Self { terminal, running: HashMap::new(), width, items: HashMap::new() }
    }

    /// Shows one update, or that some were missed.
    pub(crate) fn show(&mut self, update: Result<Update, u64>) {
        match update {
            Ok(update) => self.update(update),
            Err(missed) => self.line(&style(format!("… {missed} updates not shown")).dim().for_stderr().to_string()),
        }
    }

    fn line(&self, text: &str) {
        match &self.terminal {
            // The terminal's own way of printing keeps the spinners below what is printed.
            Some(terminal) => drop(terminal.println(text)),
            None => super::line(text),
        }
    }

    fn node_line(&self, word: &str, node: &NodeId, rest: &str) {
        let sign = status(word);
        let pad = " ".repeat(13_usize.saturating_sub(console::measure_text_width(&sign)));
        self.line(&format!("  {sign}{pad}{node:<width$}  {rest}", width = self.width));
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::Event(_, record) => self.event(&record),
            Update::Began { node, item, attempt } => self.began(node, item, attempt),
            Update::Asked { node, question, .. } => {
                let message = question.message.as_deref().unwrap_or_default();
                self.node_line("waiting", &node, &console::strip_ansi_codes(&shorten(message, 200)));
            }
            Update::Idle(_) => {}
            Update::Log { node, level, message, .. } => self.log(&node, level, &message),
            Update::Progress { node, fraction, message, .. } => {
                if let Some(bar) = self.running.get(&node) {
                    let percent = fraction.map(|fraction| format!("{:.0} % ", fraction * 100.0)).unwrap_or_default();
                    bar.set_message(format!("{percent}{}", shorten(&message, 100)));
                }
            }
        }
    }

    fn began(&mut self, node: NodeId, item: Option<u32>, attempt: u32) {
        let Some(terminal) = &self.terminal else { return };
        if let (Some(item), Some(bar)) = (item, self.running.get(&node)) {
            // The items of a node share its line.
            return bar.set_message(format!("item {item}"));
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(look) = ProgressStyle::with_template("  {spinner:.cyan} {prefix}  {msg:.dim} {elapsed:.dim}") {
            bar.set_style(look);
        }
        let bar = terminal.add(bar);
        bar.set_prefix(format!("running    {node:<width$}", width = self.width));
        if attempt > 1 {
            bar.set_message(format!("attempt {attempt}"));
        }
        // Short nodes are done before their spinner would first be drawn.
        bar.enable_steady_tick(Duration::from_millis(100));
        self.running.insert(node, bar);
    }

    fn log(&self, node: &NodeId, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => style("debug").dim(),
            LogLevel::Info => style("info ").cyan(),
            LogLevel::Warn => style("warn ").yellow(),
            LogLevel::Error => style("error").red(),
        };
        let (bar, level) = (style("│").dim().for_stderr(), level.for_stderr());
        for line in message.lines() {
            // A guest must not steer the terminal.
            let line = console::strip_ansi_codes(line);
            self.line(&format!("  {bar} {level} {node:<width$}  {line}", width = self.width + 5));
        }
    }

    fn event(&mut self, record: &Record) {
        match &record.event {
            Event::ItemsListed { node, items } => {
                let count = items.value().as_array().map_or(0, Vec::len);
                self.items.insert(node.clone(), Items { total: count, settled: 0, failed: 0, began: record.at });
                self.items_settled(node, 0, 0, record.at);
            }
            // Of a node with many items the list of them says enough.
            Event::AttemptSucceeded { node, item: Some(_), .. } => self.items_settled(node, 1, 0, record.at),
            Event::AttemptSucceeded { node, attempt, port, took_us, .. } => {
                self.clear(node);
                let tries = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                let port = if port.as_str() == "out" { String::new() } else { format!(" → {port}") };
                // Waits take no time of their own.
                let took = if *took_us > 0 { duration(*took_us) } else { String::new() };
                self.node_line("succeeded", node, format!("{took}{tries}{port}").trim_start());
            }
            Event::AttemptFailed { node, item: Some(item), attempt, failure, retry_at, .. } => {
                let again = if retry_at.is_some() { "; again" } else { "" };
                let rest = format!("item {item}, attempt {attempt}: {}{again}", describe(failure));
                self.node_line(if retry_at.is_some() { "retrying" } else { "failed" }, node, &rest);
                if retry_at.is_none() {
                    self.items_settled(node, 1, 1, record.at);
                }
            }
            Event::AttemptFailed { node, item: None, attempt, failure, retry_at, took_us, .. } => {
                self.clear(node);
                match retry_at {
                    Some(at) => {
                        let wait = at.0.saturating_sub(record.at.0).saturating_mul(1000);
                        let rest = format!("attempt {attempt} {}; again in {}", describe(failure), duration(wait));
                        self.node_line("retrying", node, &rest);
                    }
                    None => self.node_line(
                        "failed",
                        node,
                        &format!("{}, attempt {attempt}: {}", duration(*took_us), describe(failure)),
                    ),
                }
            }
            Event::NodeSkipped { node, reason } => {
                let why = match reason {
                    SkipReason::Needs => "what it needs did not happen",
                    SkipReason::Condition => "its `if` is false",
                    SkipReason::Disabled => "it is disabled",
                };
                self.node_line("skipped", node, why);
            }
            Event::NodeReused { node } => self.node_line("reused", node, "from the run that this one repeats"),
            Event::AttemptCancelled { node, .. } => {
                self.clear(node);
                self.node_line("cancelled", node, "");
            }
            Event::CancelRequested { by } => self.line(&format!("  cancelling, asked by {by}")),
            Event::RunTimedOut { limit_ms } => {
                self.line(&format!("  the run has had its {}", duration(limit_ms.saturating_mul(1000))));
            }
            Event::AttemptStarted { node, wait: Some(Wait::Until { at }), .. } => {
                let wait = at.0.saturating_sub(record.at.0).saturating_mul(1000);
                self.node_line("waiting", node, &duration(wait));
            }
            Event::RunFinished { uncompensated, .. } => {
                for node in uncompensated {
                    self.line(&format!("  what {node} did could not be undone: somebody has to look"));
                }
            }
            Event::RunStarted(_) | Event::AttemptStarted { .. } => {}
        }
    }

    fn items_settled(&mut self, node: &NodeId, more: usize, failed: usize, at: Timestamp) {
        let Some(items) = self.items.get_mut(node) else { return };
        items.settled += more;
        items.failed += failed;
        let (settled, failed, total) = (items.settled, items.failed, items.total);
        if settled < total {
            if let Some(bar) = self.running.get(node) {
                bar.set_message(format!("{settled} of {total} items"));
            }
            return;
        }
        let took = at.0.saturating_sub(items.began.0).saturating_mul(1000);
        self.clear(node);
        if failed == 0 {
            self.node_line("succeeded", node, &format!("{total} items, {}", duration(took)));
        } else {
            self.line(&format!("  {failed} of {total} items of {node} failed, {}", duration(took)));
        }
    }

    fn clear(&mut self, node: &NodeId) {
        if let Some(bar) = self.running.remove(node) {
            bar.finish_and_clear();
        }
    }
}

fn describe(failure: &Failure) -> String {
    format!("{}: {}", failure.code, console::strip_ansi_codes(&shorten(&failure.message, 200)))
}
