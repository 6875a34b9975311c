//! The workflows that a workflow runs: those of the same organisation, by name.

use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::host::Registry;
use windflow_core::ports::records::Records;
use windflow_core::problem::Problem;
use windflow_core::workflow::{ChildName, Children, Documents, FoundDocument, Workflow, resolve_children};

use crate::catalogue;
use crate::state::App;

/// The latest versions of an organisation's workflows.
struct Catalogue<'a> {
    records: &'a dyn Records,
    organisation: &'a OrganisationId,
}

impl Documents for Catalogue<'_> {
    fn find(&self, _: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let name = match name {
            ChildName::Name(name) => name,
            ChildName::File(_) => return Err("a server knows workflows by `name`, not by `file`".to_owned()),
        };
        let known: WorkflowName = name.parse().map_err(|error| format!("{error}"))?;
        let latest = catalogue::kept_latest(self.records, self.organisation, &known);
        let (_, version) = latest.map_err(|problem| problem.to_string())?;
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
