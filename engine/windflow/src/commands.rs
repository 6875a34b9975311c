//! One command a file.

pub(crate) mod answer;
pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod deployments;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod document;
pub(crate) mod lock;
pub(crate) mod permission;
pub(crate) mod plan;
pub(crate) mod plugins;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod stacks;
pub(crate) mod store;
pub(crate) mod targets;
pub(crate) mod templates;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod users;
pub(crate) mod validate;
