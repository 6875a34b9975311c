//! Many targets at once, out of comma-separated lines.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_stacks::target::{self, Credentials};

use super::super::extract::{Allowed, Json, need};
use super::super::refusals::Refusals;
use super::check_reach;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Targets as comma-separated lines. The first line names the columns: `name,address`, and where wanted
/// `environment,groups,tags,description`; several groups or tags are separated by `;`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportTargets {
    csv: String,
}

/// What became of a line.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedLine {
    /// Its number, from 1.
    line: u64,
    /// The target that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Why it made none.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// Describe many targets. Each line is taken or refused for itself.
#[utoipa::path(
    post, path = "/targets/import", tag = "targets", operation_id = "import_targets",
    security(("token" = ["targets:manage"])), request_body = ImportTargets,
    responses((status = 200, description = "As asked", body = Vec<ImportedLine>), Refusals)
)]
pub(crate) async fn import(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Json(body): Json<ImportTargets>,
) -> Answer<axum::Json<Vec<ImportedLine>>> {
    let caller = allowed.0;
    let lines = target::read_csv(&body.csv).map_err(|why| Problem::invalid("invalid_csv", why))?;
    let (book, by, now) = (app.book(&caller.organisation), caller.name(), app.now());
    let made = lines.into_iter().map(|line| {
        let added = line.target.and_then(|new| {
            check_reach(&caller.organisation, &new.address)?;
            let added = book.add_target(&new, &Credentials::default(), &by, now);
            added.map(|target| target.name).map_err(|error| error.to_string())
        });
        let (name, refused) = match added {
            Ok(name) => (Some(name), None),
            Err(why) => (None, Some(why)),
        };
        ImportedLine { line: line.line, name, refused }
    });
    let made = made.collect();
    book.durable().await?;
    app.watching.changed(&caller.organisation);
    Ok(axum::Json(made))
}
