//! What workflows keep from run to run: looked at, and cleared.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::records::Records;
use windflow_core::ports::state::{StateError, StateScope};
use windflow_runtime::{Keeper, KeptValue, RecordState};

use super::extract::{Allowed, Path, Query, need};
use super::page::{self, Page, PageQuery};
use super::refusals::Refusals;
use crate::catalogue;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// A workflow that keeps something.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeeperView {
    /// Its name; the workflow itself may be gone.
    workflow: String,
    /// How many values.
    keys: u64,
    /// What they take in the store.
    bytes: u64,
}

/// A value that a workflow keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeptValueView {
    key: String,
    /// Changes with every change of the value.
    version: u64,
    /// Of its JSON.
    bytes: u64,
    /// Left out in lists where it is longer than 4 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    value: Option<serde_json::Value>,
}

/// What was cleared.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cleared {
    /// How many values were taken away.
    cleared: u64,
}

/// Which values.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ValuesQuery {
    /// Only the value of this key, however long it is.
    #[param(min_length = 1, max_length = 200)]
    key: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// What to clear.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClearQuery {
    /// Only the value of this key; all of them where it is left out.
    #[param(min_length = 1, max_length = 200)]
    key: Option<String>,
}

fn kept(app: &App) -> RecordState<dyn Records> {
    RecordState::new(Arc::clone(&app.records))
}

fn view(value: KeptValue) -> Answer<KeptValueView> {
    let KeptValue { key, version, bytes, value } = value;
    let value = value.map(|value| serde_json::from_str(value.get())).transpose().map_err(Problem::internal)?;
    Ok(KeptValueView { key, version, bytes, value })
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Refused(why) => Self::new(StatusCode::BAD_REQUEST, "invalid_query", why),
            other => Self::internal(other),
        }
    }
}

/// Whose values: of a workflow that there is, or of one that is gone and left some.
fn scope(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<StateScope> {
    let scope = StateScope { organisation: organisation.clone(), workflow: name.to_string() };
    let (left, _) = kept(app).list(&scope, None, 1)?;
    if left.is_empty() && catalogue::find(app, organisation, name)?.is_none() {
        return Err(Problem::not_found(format!("workflow {name}, and nothing that one has kept")));
    }
    Ok(scope)
}

/// The workflows that keep values from run to run.
#[utoipa::path(
    get, path = "/state", tag = "workflows", operation_id = "list_state", params(PageQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Page<KeeperView>), Refusals)
)]
pub(crate) async fn keepers(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<KeeperView>>> {
    let (after, limit) = (query.after()?, query.limit()?);
    let listed = blocking(move || kept(&app).keepers(&allowed.0.organisation, after.as_deref(), limit)).await?;
    let (keepers, next) = listed?;
    let view = |Keeper { workflow, keys, bytes }| KeeperView { workflow, keys, bytes };
    Ok(axum::Json(Page::new(keepers.into_iter().map(view).collect(), next)))
}

/// The values that a workflow keeps from run to run, by key.
#[utoipa::path(
    get, path = "/workflows/{name}/state", tag = "workflows", operation_id = "show_state",
    params(("name" = String, Path, description = "Name of the workflow"), ValuesQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Page<KeptValueView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    Query(query): Query<ValuesQuery>,
) -> Answer<axum::Json<Page<KeptValueView>>> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let listed = blocking(move || -> Answer<_> {
        let scope = scope(&app, &allowed.0.organisation, &name)?;
        if let Some(key) = query.key {
            let value = kept(&app).value(&scope, &key)?;
            let value = value.ok_or_else(|| Problem::not_found(format!("value under the key {key:?} of {name}")))?;
            return Ok(Page { items: vec![view(value)?], next: None });
        }
        let (values, next) = kept(&app).list(&scope, after.as_deref(), limit)?;
        Ok(Page::new(values.into_iter().map(view).collect::<Answer<_>>()?, next))
    });
    Ok(axum::Json(listed.await??))
}

/// Clear what a workflow keeps: one value, or all that there are now.
#[utoipa::path(
    delete, path = "/workflows/{name}/state", tag = "workflows", operation_id = "clear_state",
    params(("name" = String, Path, description = "Name of the workflow"), ClearQuery),
    security(("token" = ["runs:operate"])), responses((status = 200, description = "It is done", body = Cleared), Refusals)
)]
pub(crate) async fn clear(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    Query(query): Query<ClearQuery>,
) -> Answer<axum::Json<Cleared>> {
    let scope = scope(&app, &allowed.0.organisation, &name)?;
    let cleared = kept(&app).clear(&scope, query.key.as_deref()).await?;
    Ok(axum::Json(Cleared { cleared }))
}
