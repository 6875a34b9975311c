//! Workflows as an archive of files, and files as workflows.

use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::id::{Digest, OrganisationId, WorkflowName};
use windflow_core::problem::Problem as DocumentProblem;
use windflow_core::workflow::Workflow;
use windflow_marketplace::files::Files;
use windflow_marketplace::package::{self, Bounds};

use crate::catalogue::{self, Entry, Seen};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// Workflows of an archive at most.
pub(crate) const MAX_FILES: usize = 2000;

const BOUNDS: Bounds = Bounds { packed: 8 << 20, files: MAX_FILES, unpacked: 64 << 20 };

/// The texts of workflows as files, each in the folder that it names.
pub(crate) fn pack(texts: Vec<(Entry, String)>) -> Answer<Vec<u8>> {
    let path = |entry: &Entry| match &entry.folder {
        Some(folder) => format!("{folder}/{}.yaml", entry.name),
        None => format!("{}.yaml", entry.name),
    };
    let files: Files = texts.into_iter().map(|(entry, text)| (path(&entry), text.into_bytes())).collect();
    package::pack(&files, BOUNDS).map_err(|error| {
        Problem::invalid("too_many_workflows", error.to_string()).remedy("take them out by `folder` or by `tag`")
    })
}

/// The workflow files of an archive.
pub(crate) fn unpack(bytes: &[u8]) -> Answer<Vec<(String, String)>> {
    let refused = |detail: String| {
        Problem::invalid("bad_archive", detail)
            .remedy("send what `tar czf workflows.tar.gz FOLDER` makes of YAML files")
    };
    let files = package::unpack(bytes, BOUNDS).map_err(|error| refused(error.to_string()))?;
    let is_yaml = |name: &String| name.ends_with(".yaml") || name.ends_with(".yml");
    let texts = files.into_iter().filter(|(name, _)| is_yaml(name)).map(|(name, bytes)| {
        let text = String::from_utf8(bytes).map_err(|_| refused(format!("{name} is no UTF-8 text")))?;
        Ok((name, text))
    });
    texts.collect()
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is a new workflow, with its triggers off.
    Created,
    /// It is the next version of a workflow.
    Updated,
    /// It is what the workflow says already.
    Unchanged,
    /// It was not taken.
    Refused,
}

/// A file that was brought in, or not.
pub(crate) struct Brought {
    pub(crate) file: String,
    pub(crate) workflow: Option<WorkflowName>,
    pub(crate) outcome: Outcome,
    pub(crate) problems: Vec<DocumentProblem>,
}

/// Keeps each file as a workflow. Those that run others of the archive are kept after them.
pub(crate) async fn import(
    app: &App,
    organisation: &OrganisationId,
    texts: Vec<(String, String)>,
    by: &str,
    dry_run: bool,
) -> Answer<Vec<Brought>> {
    let mut done: Vec<Brought> = Vec::with_capacity(texts.len());
    let mut left = texts;
    loop {
        let (before, mut refused) = (left.len(), Vec::new());
        for (file, text) in left {
            let brought = bring(app, organisation, file, text.clone(), by, dry_run).await?;
            if brought.outcome == Outcome::Refused {
                refused.push((brought, text));
            } else {
                done.push(brought);
            }
        }
        // What was refused may have missed a workflow that is there by now.
        if refused.is_empty() || refused.len() == before || dry_run {
            done.extend(refused.into_iter().map(|(brought, _)| brought));
            done.sort_by(|a, b| a.file.cmp(&b.file));
            return Ok(done);
        }
        left = refused.into_iter().map(|(brought, text)| (brought.file, text)).collect();
    }
}

async fn bring(
    app: &App,
    organisation: &OrganisationId,
    file: String,
    text: String,
    by: &str,
    dry_run: bool,
) -> Answer<Brought> {
    let parsed = text.clone();
    let name = blocking(move || Workflow::parse(&parsed).0.map(|workflow| workflow.name.value)).await?;
    let checked = catalogue::check(app, organisation, text.clone()).await?;
    let valid = checked.is_valid();
    let problems = checked.problems.into_iter().filter(DocumentProblem::is_error).collect();
    let Some(name) = name.filter(|_| valid) else {
        return Ok(Brought { file, workflow: None, outcome: Outcome::Refused, problems });
    };
    let before = catalogue::find(app, organisation, &name)?;
    let outcome = match &before {
        None => Outcome::Created,
        Some(entry) if entry.value.document == Digest::of(text.as_bytes()) => Outcome::Unchanged,
        Some(_) => Outcome::Updated,
    };
    match outcome {
        _ if dry_run => {}
        Outcome::Created => drop(catalogue::create(app, organisation, text, by.to_owned()).await?),
        Outcome::Updated => {
            drop(catalogue::replace(app, organisation, &name, text, Seen::Any, by.to_owned()).await?);
        }
        Outcome::Unchanged | Outcome::Refused => {}
    }
    Ok(Brought { file, workflow: Some(name), outcome, problems: Vec::new() })
}
