//! The audit trail.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Allowed, Query, need};
use super::page::{self, Page};
use super::refusals::Refusals;
use crate::audit::{self, Entry};
use crate::problem::Answer;
use crate::state::{App, blocking};

/// Entries that are looked at for one page.
const LOOKED_AT: usize = 5000;

/// A request that may have changed something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    at: u64,
    /// `user:…` or `key:…`.
    by: String,
    #[schema(example = "PUT")]
    method: String,
    #[schema(example = "/api/v1/secrets/deploy_token")]
    path: String,
    /// The status of the answer: what is not 2xx has changed nothing.
    status: u16,
}

impl From<Entry> for AuditView {
    fn from(entry: Entry) -> Self {
        let Entry { at, by, method, path, status } = entry;
        Self { at: at.0, by, method, path, status }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only what has this in who did it or in the path.
    #[param(max_length = 200)]
    q: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Who changed what, the newest first. A page may hold fewer than asked for and still have a next one, where few match.
#[utoipa::path(
    get, path = "/audit", tag = "people", operation_id = "list_audit", params(AuditQuery),
    security(("token" = ["people:manage"])), responses((status = 200, description = "As asked", body = Page<AuditView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Answer<axum::Json<Page<AuditView>>> {
    let limit = page::limit(query.limit)?;
    let mut after = query.cursor.as_deref().map(page::decode).transpose()?;
    let sought = query.q.map(|text| text.chars().take(200).collect::<String>().to_lowercase()).unwrap_or_default();
    let matches = move |entry: &Entry| {
        sought.is_empty() || entry.by.to_lowercase().contains(&sought) || entry.path.to_lowercase().contains(&sought)
    };
    let listed = blocking(move || -> Answer<_> {
        let (mut items, mut looked_at) = (Vec::new(), 0);
        loop {
            let wanted = limit - items.len();
            let (entries, next) = audit::list(&app, &allowed.0.organisation, after.as_deref(), wanted)?;
            looked_at += entries.len();
            items.extend(entries.into_iter().filter(|entry| matches(entry)).map(AuditView::from));
            if next.is_none() || items.len() >= limit || looked_at >= LOOKED_AT {
                return Ok(Page::new(items, next));
            }
            after = next;
        }
    });
    Ok(axum::Json(listed.await??))
}
