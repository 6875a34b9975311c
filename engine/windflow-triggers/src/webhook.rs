//! Webhooks: a path of the organisation's own that starts runs.

use std::sync::Arc;

use indexmap::IndexMap;
use windflow_core::expression::Template;
use windflow_core::problem::Problem;

use crate::auth::Auth;
use crate::fields::Fields;

/// Longest path, in bytes.
const MAX_PATH_BYTES: usize = 200;

/// A webhook of a workflow.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name in the document.
    pub name: Arc<str>,
    /// Its path below `/hooks/<organisation>/`, without a slash at either end.
    pub path: String,
    /// The one method that it listens to.
    pub method: String,
    /// How a request shows that it may.
    pub auth: Auth,
    /// What the one who asks hears.
    pub reply: Reply,
    /// How a request becomes inputs.
    pub inputs: IndexMap<String, Template>,
}

/// When a webhook answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// As soon as the run is durable.
    Accepted,
    /// When the run has ended, with its outputs.
    Result,
}

impl Webhook {
    pub(crate) fn read(name: &str, fields: &Fields<'_>, inputs: IndexMap<String, Template>) -> Result<Self, Problem> {
        let path = fields.text("path")?.unwrap_or_default();
        let path = path.trim_matches('/');
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        let dots = path.split('/').any(|segment| segment.is_empty() || segment == "." || segment == "..");
        if path.len() > MAX_PATH_BYTES || dots || !path.chars().all(fits) {
            return Err(fields
                .problem("invalid_path", format!("`path: {path}` is no path of a webhook"))
                .remedy(format!("use letters, digits, -, ., _, ~ and / between them, {MAX_PATH_BYTES} at most")));
        }
        let reply = match fields.text("reply")? {
            Some("result") => Reply::Result,
            _ => Reply::Accepted,
        };
        Ok(Self {
            name: name.into(),
            path: path.to_owned(),
            method: fields.text("method")?.unwrap_or("POST").to_owned(),
            auth: Auth::read(fields)?,
            reply,
            inputs,
        })
    }
}
