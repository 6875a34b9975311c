//! What starts runs besides people: webhooks, schedules and events.
//!
//! Everything here is decided, nothing is done: [`compile`] reads the triggers of a workflow, [`Auth::check`] says whether a
//! request is genuine, [`decide`] what a schedule owes at an instant, and [`run_id`] under which id a run starts, so that
//! the same cause never starts two. The server hears requests, watches the clock, and starts the runs.
#![forbid(unsafe_code)]

pub use self::auth::{Auth, Denied, Presented};
pub use self::compile::{Triggers, compile};
pub use self::cron::{CatchUp, Cron, Overlap};
pub use self::decide::{CronState, Decision, decide, due_again};
pub use self::event::EventTrigger;
pub use self::identity::{event_run_id, run_id};
pub use self::inputs::inputs;
pub use self::webhook::{Reply, Webhook};

mod auth;
mod compile;
mod cron;
mod decide;
mod event;
mod fields;
mod identity;
mod inputs;
mod webhook;
