//! The workflows that a workflow runs: those of the same organisation, by name.

use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::host::Registry;
use windflow_core::ports::records::Records;
use windflow_core::problem::{Problem, did_you_mean};
use windflow_core::workflow::{ChildName, Children, Documents, FoundDocument, Workflow, resolve_children};

use crate::catalogue;
use crate::state::App;

/// So many names are compared with one that there is not.
const MAX_COMPARED: usize = 1000;

/// The latest versions of an organisation's workflows.
struct Catalogue<'a> {
    records: &'a dyn Records,
    organisation: &'a OrganisationId,
}

impl Catalogue<'_> {
    /// The workflow that was perhaps meant.
    fn like(&self, name: &str) -> Option<String> {
        let page = self.records.scan(self.organisation, catalogue::ENTRIES, None, MAX_COMPARED).ok()?;
        let names = page.items.iter().filter_map(|entry| entry.key.strip_prefix(catalogue::ENTRIES));
        did_you_mean(name, names)
    }
}

impl Documents for Catalogue<'_> {
    fn find(&self, _: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let name = match name {
            ChildName::Name(name) => name,
            ChildName::File(_) => return Err("a server knows workflows by `name`, not by `file`".to_owned()),
        };
        let known: WorkflowName = name.parse().map_err(|error| format!("{error}"))?;
        let latest = catalogue::kept_latest(self.records, self.organisation, &known);
        let (_, version) = latest.map_err(|problem| {
            let hint = self.like(name).map(|hint| format!("; {hint}"));
            format!("{problem}{}", hint.unwrap_or_default())
        })?;
        Ok(FoundDocument { location: name.clone(), text: version.text })
    }
}

/// Finds and checks everything that a valid workflow runs.
pub(crate) fn resolve(app: &App, organisation: &OrganisationId, workflow: &Workflow) -> Result<Children, Vec<Problem>> {
    resolve_with(&*app.records, organisation, workflow, &*app.registry)
}

/// The same with other node types.
pub(crate) fn resolve_with(
    records: &dyn Records,
    organisation: &OrganisationId,
    workflow: &Workflow,
    registry: &dyn Registry,
) -> Result<Children, Vec<Problem>> {
    resolve_children(workflow, &Catalogue { records, organisation }, registry)
}

/// The same for a document that is to be started. Most run no others, and are not read for that.
pub(crate) fn of(app: &App, organisation: &OrganisationId, document: &str) -> Result<Children, Vec<Problem>> {
    // A backslash may write any letter in another way.
    if !document.contains("workflow@") && !document.contains('\\') {
        return Ok(Children::default());
    }
    match Workflow::parse(document) {
        (Some(workflow), problems) if !problems.iter().any(Problem::is_error) => resolve(app, organisation, &workflow),
        // What is wrong with it is told by who starts it.
        _ => Ok(Children::default()),
    }
}
