//! What answers look like.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::store::RunSummary;
use windflow_core::run::Timestamp;

use super::drafts::DraftView;
use crate::access::Role;
use crate::catalogue::{Entry, Version};
use crate::people::User;
use crate::state::App;

/// A workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowView {
    name: String,
    description: Option<String>,
    /// Whether its triggers start runs.
    enabled: bool,
    /// Number of its latest version, from 1.
    version: u32,
    /// SHA-256 of its text.
    #[schema(example = "sha256:0f34…")]
    document: String,
    /// What starts it beside people: `cron`, `webhook`, `event`; each once.
    triggers: Vec<String>,
    /// Where lists show it: names of folders with `/` between them.
    folder: Option<String>,
    tags: Vec<String>,
    created_at: u64,
    created_by: String,
    updated_at: u64,
    updated_by: String,
}

impl From<Entry> for WorkflowView {
    fn from(entry: Entry) -> Self {
        Self {
            name: entry.name.to_string(),
            description: entry.description,
            enabled: entry.enabled,
            version: entry.version,
            document: entry.document.to_string(),
            triggers: entry.triggers,
            folder: entry.folder,
            tags: entry.tags,
            created_at: entry.created_at.0,
            created_by: entry.created_by,
            updated_at: entry.updated_at.0,
            updated_by: entry.updated_by,
        }
    }
}

/// A workflow, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedWorkflow {
    #[serde(flatten)]
    pub(crate) workflow: WorkflowView,
    /// Its newest run.
    pub(crate) last_run: Option<RunView>,
    /// What somebody has begun to change and not finished.
    pub(crate) draft: Option<DraftView>,
}

/// A version of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    version: u32,
    /// SHA-256 of its text.
    document: String,
    created_at: u64,
    created_by: String,
    /// The text; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl VersionView {
    pub(crate) fn new(version: Version, with_text: bool) -> Self {
        Self {
            version: version.version,
            document: version.document.to_string(),
            created_at: version.at.0,
            created_by: version.by,
            text: with_text.then_some(version.text),
        }
    }
}

/// A run, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    #[schema(format = "uuid")]
    run: String,
    workflow: String,
    /// SHA-256 of the text of the version that it runs.
    document: String,
    /// `running`, `cancelling`, `succeeded`, `failed` or `cancelled`.
    status: Value,
    /// It has not begun yet: its workflow's `concurrency` makes it wait for others.
    queued: bool,
    /// Why it does not go on until somebody resumes it, or cannot be shown whole.
    pub(crate) stalled: Option<StalledView>,
    /// Who or what started it: `user:…`, `key:…`, `test:…` (somebody who tried something), `webhook:…`, `cron:…`, `event:…`, `run …`, `cli`.
    started_by: String,
    started_at: u64,
    finished_at: Option<u64>,
    /// Why it failed.
    error: Option<Value>,
    /// The last sequence of its journal.
    sequence: u64,
}

/// Why a run does not go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StalledView {
    reason: String,
    /// Since when, in milliseconds since 1970.
    at: u64,
}

impl StalledView {
    pub(crate) fn new(reason: String, at: Timestamp) -> Self {
        Self { reason, at: at.0 }
    }
}

impl From<windflow_runtime::Stalled> for StalledView {
    fn from(stalled: windflow_runtime::Stalled) -> Self {
        Self::new(stalled.reason, stalled.at)
    }
}

impl RunView {
    pub(crate) fn new(app: &App, organisation: &OrganisationId, run: &RunSummary) -> Self {
        let key = RunKey { organisation: organisation.clone(), run: run.run };
        Self {
            queued: !run.status.is_ended() && app.runtime.is_queued(&key),
            stalled: app.runtime.stalled(&key).filter(|_| !run.status.is_ended()).map(StalledView::from),
            run: run.run.to_string(),
            workflow: run.workflow.to_string(),
            document: run.document.to_string(),
            status: serde_json::to_value(run.status).unwrap_or_default(),
            started_by: run.started_by.clone(),
            started_at: run.started_at.0,
            finished_at: run.finished_at.map(|at| at.0),
            error: run.failure.as_ref().and_then(|failure| serde_json::to_value(failure).ok()),
            sequence: run.sequence,
        }
    }
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    id: String,
    email: String,
    name: String,
    role: Role,
    created_at: u64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { id: user.id, email: user.email, name: user.name, role: user.role, created_at: user.created_at.0 }
    }
}
