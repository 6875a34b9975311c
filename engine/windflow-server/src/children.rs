//! The workflows that a workflow runs, out of those of its organisation.

use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::native::Native;
use windflow_core::workflow::{self, ChildName, Children, Documents, FoundDocument, Workflow};
use windflow_runtime::InvalidStart;

use crate::catalogue;
use crate::state::App;

struct Stored<'a> {
    app: &'a App,
    organisation: &'a OrganisationId,
}

impl Documents for Stored<'_> {
    fn find(&self, _location: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let ChildName::Name(name) = name else {
            return Err("a server knows workflows by name, not by file: `name: other`".into());
        };
        let parsed: WorkflowName = name.parse().map_err(|error| format!("{error}"))?;
        match catalogue::latest(self.app, self.organisation, &parsed) {
            Ok((_, version)) => Ok(FoundDocument { location: name.clone(), text: version.text }),
            Err(problem) if problem.status() == 404 => Err(format!("there is no workflow `{name}`")),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

/// Everything that a document runs, in the versions of now.
///
/// # Errors
/// Every node that names what there is not, or does not give it the inputs that it takes.
pub(crate) fn resolve(app: &App, organisation: &OrganisationId, document: &str) -> Result<Children, InvalidStart> {
    let (Some(workflow), _) = Workflow::parse(document) else { return Ok(Children::default()) };
    let runs_others = |node: &workflow::Node| Native::find(&node.uses.value) == Some(Native::Workflow);
    if !workflow.nodes.values().any(runs_others) {
        return Ok(Children::default());
    }
    workflow::resolve_children(&workflow, &Stored { app, organisation }, &*app.registry)
        .map_err(|problems| InvalidStart { problems })
}
