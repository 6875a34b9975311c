//! One command a file.

pub(crate) mod completions;
pub(crate) mod document;
pub(crate) mod plan;
pub(crate) mod plugins;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod validate;
