//! A run as it goes on, on stderr: a line for each node that settled, and on a terminal a spinner for each that is at work.

use std::collections::HashMap;
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use windflow_core::failure::Failure;
use windflow_core::id::NodeId;
use windflow_core::ports::host::LogLevel;
use windflow_core::run::{Event, Record, SkipReason, Timestamp};
use windflow_runtime::{Update, Updates};

use super::{duration, shorten, status};

/// Shows a run.
pub(crate) struct Live {
    terminal: Option<MultiProgress>,
    running: HashMap<NodeId, ProgressBar>,
    /// Widest name of a node, so that lines align.
    width: usize,
    last: Timestamp,
}

impl Live {
    /// For a workflow with these nodes.
    pub(crate) fn new<'a>(nodes: impl Iterator<Item = &'a NodeId>) -> Self {
        let terminal = console::user_attended_stderr().then(MultiProgress::new);
        let width = nodes.map(|node| node.as_str().len()).max().unwrap_or(0).min(40);
        Self { terminal, running: HashMap::new(), width, last: Timestamp::default() }
    }

    /// Shows updates until the run is over.
    pub(crate) async fn watch(mut self, mut updates: Updates) {
        while let Some(update) = updates.next().await {
            match update {
                Ok(update) => self.show(update),
                Err(missed) => {
                    self.line(&style(format!("… {missed} updates not shown")).dim().for_stderr().to_string())
                }
            }
        }
        for (_, bar) in self.running.drain() {
            bar.finish_and_clear();
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

    fn show(&mut self, update: Update) {
        match update {
            Update::Event(_, record) => self.event(&record),
            Update::Began { node, attempt } => self.began(node, attempt),
            Update::Log { node, level, message, .. } => self.log(&node, level, &message),
            Update::Progress { node, fraction, message, .. } => {
                if let Some(bar) = self.running.get(&node) {
                    let percent = fraction.map(|fraction| format!("{:.0} % ", fraction * 100.0)).unwrap_or_default();
                    bar.set_message(format!("{percent}{}", shorten(&message, 100)));
                }
            }
        }
    }

    fn began(&mut self, node: NodeId, attempt: u32) {
        let Some(terminal) = &self.terminal else { return };
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
        self.last = record.at;
        match &record.event {
            Event::AttemptSucceeded { node, attempt, port, took_us, .. } => {
                self.clear(node);
                let tries = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                let port = if port.as_str() == "out" { String::new() } else { format!(" → {port}") };
                self.node_line("succeeded", node, &format!("{}{tries}{port}", duration(*took_us)));
            }
            Event::AttemptFailed { node, attempt, failure, retry_at, took_us } => {
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
            Event::AttemptCancelled { node, .. } => {
                self.clear(node);
                self.node_line("cancelled", node, "");
            }
            Event::CancelRequested { by } => self.line(&format!("  cancelling, asked by {by}")),
            Event::RunStarted(_) | Event::AttemptStarted { .. } | Event::RunFinished { .. } => {}
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
