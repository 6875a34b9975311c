//! Workflows as files: taken out together, and brought in together.

use axum::extract::State;
use axum::http::{HeaderName, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Allowed, Query, Raw, need};
use super::refusals::Refusals;
use super::workflows::{Sought, WorkflowFilter, search};
use crate::archive::{self, Outcome};
use crate::catalogue;
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::{App, blocking};

/// The texts of workflows as a compressed tar archive, each a file in the folder that it names.
#[utoipa::path(
    get, path = "/export", tag = "workflows", operation_id = "export_workflows", params(WorkflowFilter),
    security(("token" = ["workflows:read"])),
    responses((status = 200, description = "As asked", body = String, content_type = "application/gzip"), Refusals)
)]
pub(crate) async fn export(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Query(filter): Query<WorkflowFilter>,
) -> Answer<([(HeaderName, &'static str); 2], Vec<u8>)> {
    let sought = Sought::from(filter);
    let organisation = allowed.0.organisation;
    let packed = blocking(move || -> Answer<_> {
        let (entries, _) = search(&app, &organisation, &sought, None, archive::MAX_FILES + 1)?;
        let texts = entries.into_iter().map(|entry| {
            let text = catalogue::version(&app, &organisation, &entry.name, entry.version)?.text;
            Ok((entry, text))
        });
        archive::pack(texts.collect::<Answer<Vec<_>>>()?)
    });
    let headers = [
        (header::CONTENT_TYPE, "application/gzip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"workflows.tar.gz\""),
    ];
    Ok((headers, packed.await??))
}

/// How files are brought in.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// Only say what would become of each file.
    #[serde(default)]
    dry_run: bool,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedFile {
    file: String,
    /// The workflow that it is the text of; null where that cannot be read.
    workflow: Option<String>,
    outcome: Outcome,
    /// Why it was refused, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<DocumentProblem>,
}

/// What became of the files of an archive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// One for each file that ends in `.yaml` or `.yml`, in the order of their names.
    files: Vec<ImportedFile>,
}

/// Bring workflows in: each file of a compressed tar archive that ends in `.yaml` or `.yml` becomes a workflow, or the next
/// version of the one that it names. A file that is refused keeps no other out.
#[utoipa::path(
    post, path = "/import", tag = "workflows", operation_id = "import_workflows", params(ImportQuery),
    security(("token" = ["workflows:write"])),
    request_body(content = String, content_type = "application/gzip", description = "A compressed tar archive, as `tar czf` makes it"),
    responses((status = 200, description = "What became of each file", body = Imported), Refusals)
)]
pub(crate) async fn import(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Query(query): Query<ImportQuery>,
    Raw(body): Raw,
) -> Answer<axum::Json<Imported>> {
    let caller = allowed.0;
    let texts = blocking(move || archive::unpack(&body)).await??;
    if texts.is_empty() {
        return Err(Problem::invalid("nothing_to_import", "the archive has no file that ends in .yaml or .yml"));
    }
    let brought = archive::import(&app, &caller.organisation, texts, &caller.name(), query.dry_run).await?;
    let files = brought.into_iter().map(|file| ImportedFile {
        file: file.file,
        workflow: file.workflow.map(|name| name.to_string()),
        outcome: file.outcome,
        problems: file.problems.iter().map(Into::into).collect(),
    });
    Ok(axum::Json(Imported { files: files.collect() }))
}
