//! The values that events carry, so that a store can keep large ones elsewhere.

use super::event::{Event, Wait};
use crate::json::Json;

impl Event {
    /// Every value that the event carries, in an order that never changes: journals name values by their place in it. A new
    /// field with a value comes after those that were there.
    pub fn values_mut(&mut self) -> Vec<&mut Json> {
        match self {
            Self::RunStarted(started) => {
                let reused = started.reused.values_mut().map(|emitted| &mut emitted.output);
                std::iter::once(&mut started.inputs).chain(reused).collect()
            }
            Self::ItemsListed { items, .. } => vec![items],
            Self::AttemptStarted { wait, .. } => match wait {
                Some(Wait::Answer(question)) => question.form.iter_mut().collect(),
                Some(Wait::Until { .. } | Wait::Child { .. }) | None => Vec::new(),
            },
            Self::AttemptSucceeded { output, .. } => vec![output],
            Self::AttemptFailed { failure, .. } => failure.details.iter_mut().collect(),
            Self::RunFinished { outputs, failure, .. } => {
                let details = failure.iter_mut().filter_map(|ended| ended.failure.details.as_mut());
                outputs.iter_mut().chain(details).collect()
            }
            Self::NodeSkipped { .. }
            | Self::NodeReused { .. }
            | Self::CancelRequested { .. }
            | Self::RunTimedOut { .. }
            | Self::AttemptCancelled { .. } => Vec::new(),
        }
    }
}
