//! A deployment as it goes on.

use std::collections::BTreeMap;
use std::sync::Mutex;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use windflow_stacks::driver::Event;

use crate::render;

/// Shows events: lines for what happened, a bar for each image that is fetched.
pub(super) struct Progress {
    quiet: bool,
    bars: MultiProgress,
    images: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, bars: MultiProgress::new(), images: Mutex::default() }
    }

    pub(super) fn show(&self, event: Event) {
        if self.quiet {
            return;
        }
        match event {
            Event::Planned { plan } => self.line(&format!("{} {}", style("plan").bold().for_stderr(), plan.summary())),
            Event::Image { image, doing, current, total } => self.image(&image, &doing, current, total),
            Event::Part { kind, name, doing } => {
                self.line(&format!("{kind} {name} {}", style(doing).dim().for_stderr()))
            }
            Event::Container { service, number, doing, detail } => {
                let name = if number > 1 { format!("{service}#{number}") } else { service };
                let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
                self.line(&format!("{name} {}{detail}", coloured(&doing)));
            }
            Event::Undoing { why } => {
                self.line(&format!("{} {why}; what ran before is brought back", style("✗").red().for_stderr()));
            }
        }
    }

    /// Above the bars, where there are some.
    fn line(&self, text: &str) {
        self.bars.suspend(|| render::line(text));
    }

    fn image(&self, image: &str, doing: &str, current: u64, total: u64) {
        let Ok(mut images) = self.images.lock() else { return };
        if !images.contains_key(image) {
            self.line(&format!("fetching {image}"));
        }
        let bar = images.entry(image.to_owned()).or_insert_with(|| {
            let look = ProgressStyle::with_template("  {msg:30!} {bar:30} {bytes}/{total_bytes}");
            let bar = self.bars.add(ProgressBar::new(0));
            if let Ok(look) = look {
                bar.set_style(look);
            }
            bar
        });
        bar.set_length(total);
        bar.set_position(current);
        bar.set_message(render::shorten(doing, 30));
    }

    pub(super) fn finish(&self) {
        if let Ok(images) = self.images.lock() {
            images.values().for_each(ProgressBar::finish_and_clear);
        }
    }
}

fn coloured(doing: &str) -> String {
    let text = style(doing).for_stderr();
    match doing {
        "healthy" | "running" | "completed" | "restored" => text.green(),
        "failed" => text.red(),
        _ => text.dim(),
    }
    .to_string()
}
