//! The real server over loopback, with the real store, and the real sandbox where it matters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

#[path = "server/access.rs"]
mod access;
#[path = "server/answers.rs"]
mod answers;
#[path = "server/credentials.rs"]
mod credentials;
#[path = "server/cron.rs"]
mod cron;
#[path = "server/dead_letters.rs"]
mod dead_letters;
#[path = "server/editing.rs"]
mod editing;
#[path = "server/editor.rs"]
mod editor;
#[path = "server/events.rs"]
mod events;
#[path = "server/kept_state.rs"]
mod kept_state;
#[path = "server/library.rs"]
mod library;
#[path = "server/live.rs"]
mod live;
#[path = "server/notifications.rs"]
mod notifications;
#[path = "server/openapi.rs"]
mod openapi;
#[path = "server/operation.rs"]
mod operation;
#[path = "server/people.rs"]
mod people;
#[path = "server/recovery.rs"]
mod recovery;
#[path = "server/refusals.rs"]
mod refusals;
#[path = "server/runs.rs"]
mod runs;
#[path = "server/stacks.rs"]
mod stacks;
#[path = "server/support.rs"]
mod support;
#[path = "server/templates.rs"]
mod templates;
#[path = "server/traces.rs"]
mod traces;
#[path = "server/trials.rs"]
mod trials;
#[path = "server/triggers.rs"]
mod triggers;
#[path = "server/webhooks.rs"]
mod webhooks;
#[path = "server/workflows.rs"]
mod workflows;
