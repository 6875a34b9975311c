//! Events of a deployment as lines of a node's log.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use windflow_stacks::driver::Event;

type Hears = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells events. Of the many steps of fetching an image the first alone.
pub(super) struct Progress {
    hears: Hears,
    fetched: Mutex<HashSet<String>>,
}

impl Progress {
    pub(super) fn new(hears: Hears) -> Self {
        Self { hears, fetched: Mutex::default() }
    }

    pub(super) fn tell(&self, event: &Event) {
        let line = match event {
            Event::Planned { plan } => format!("plan: {}", plan.summary()),
            Event::Image { image, .. } => {
                let is_new = self.fetched.lock().is_ok_and(|mut fetched| fetched.insert(image.clone()));
                if !is_new {
                    return;
                }
                format!("fetching {image}")
            }
            Event::Part { kind, name, doing } => format!("{kind} {name} {doing}"),
            Event::Container { service, number, doing, detail } if detail.is_empty() => {
                format!("{service}#{number} {doing}")
            }
            Event::Container { service, number, doing, detail } => format!("{service}#{number} {doing}: {detail}"),
            Event::Undoing { why } => format!("{why}; what ran before is brought back"),
        };
        (self.hears)(&line);
    }
}
