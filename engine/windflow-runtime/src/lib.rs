//! The runtime: does what runs ask for.
//!
//! [`Runtime`] is a cheap handle. Each active run has one task, its run loop, which alone appends to the run's journal: it
//! takes the effects of the [`RunState`](windflow_core::run::RunState), does them, and folds what comes of them back in.
//! Nothing else decides; a recovered run goes through the very same loop.
#![forbid(unsafe_code)]

pub use crate::answer::{Answer, AnswerError, Reply};
pub use crate::awaiting::{AnsweredByEvent, Happened};
pub use crate::clock::{Clock, SystemClock, sleep_by};
pub use crate::report::{ItemsReport, NodeReport, QuestionReport, RunReport};
pub use crate::rerun::{Rerun, RerunError};
pub use crate::run_loop::Lost;
pub use crate::service::{Config, Responder, Runtime, Turn, Turns};
pub use crate::simulated::SimulatedClock;
pub use crate::stalled::Stalled;
pub use crate::start::{InvalidStart, ResumeError, Start, StartError, Started};
pub use crate::state::{Keeper, KeptValue, RecordState};
pub use crate::updates::{Update, Updates};

mod admission;
mod answer;
mod attempt;
mod awaiting;
mod child;
mod clock;
mod files;
mod load;
mod native;
mod report;
mod rerun;
mod run_loop;
mod scope;
mod service;
mod simulated;
mod spans;
mod stalled;
mod start;
mod state;
mod updates;
