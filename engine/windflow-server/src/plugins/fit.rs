//! Which workflows that are on would not fit a plugin any more, once it has the place of the version before: what somebody has to
//! know before they agree to it.

use std::sync::Arc;

use windflow_core::id::{NodeTypeRef, OrganisationId, WorkflowName};
use windflow_core::ports::host::{InstalledNodeType, Registry};
use windflow_core::ports::plugins::{ProblemThen, UnfitWorkflow};
use windflow_core::ports::records::Records;
use windflow_core::problem::Problem;
use windflow_core::workflow::{self, Workflow};

use crate::problem::Answer;
use crate::{catalogue, children, kept, people};

/// So many workflows are told with their problems; of more there is the number.
const TOLD: usize = 20;

/// So many problems are told of each.
const PROBLEMS: usize = 5;

/// The node types of an engine once a plugin has its place there.
struct Then<'a> {
    now: &'a dyn Registry,
    offered: &'a [(NodeTypeRef, InstalledNodeType)],
}

impl Then<'_> {
    /// Whether the version before, which gives up its place, offers it.
    fn goes(&self, uses: &NodeTypeRef, node: &InstalledNodeType) -> bool {
        self.offered.first().is_some_and(|(new, offered)| {
            new.major == uses.major && offered.manifest.plugin.name == node.manifest.plugin.name
        })
    }
}

impl Registry for Then<'_> {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        let new = self.offered.iter().find(|(new, _)| new == uses).map(|(_, node)| node.clone());
        new.or_else(|| self.now.get(uses).filter(|node| !self.goes(uses, node)))
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        let stays = self.now.list().into_iter().filter(|(uses, node)| !self.goes(uses, node));
        let mut all: Vec<_> = stays.chain(self.offered.iter().cloned()).collect();
        all.sort_by(|(one, _), (other, _)| (&one.name, one.major).cmp(&(&other.name, other.major)));
        all
    }
}

/// What would not fit any more.
#[derive(Debug, Default)]
pub struct Unfit {
    /// Of the organisation that asks.
    pub workflows: Vec<UnfitWorkflow>,
    /// How many more there are: beyond those that are told, and of other organisations, whose names are theirs alone.
    pub more: usize,
}

/// Holds every workflow that is on, of all organisations, against the node types that there are and those that there would be.
/// What does not fit already is not told.
///
/// # Errors
/// Where what is kept cannot be read.
pub fn unfit(
    records: &dyn Records,
    asks: &OrganisationId,
    registry: &dyn Registry,
    offered: &[(NodeTypeRef, InstalledNodeType)],
) -> Result<Unfit, String> {
    find(records, asks, registry, offered).map_err(|problem| problem.to_string())
}

pub(super) fn find(
    records: &dyn Records,
    asks: &OrganisationId,
    registry: &dyn Registry,
    offered: &[(NodeTypeRef, InstalledNodeType)],
) -> Answer<Unfit> {
    let snapshot: Option<Arc<dyn Registry>> = registry.snapshot();
    let now = snapshot.as_deref().unwrap_or(registry);
    let then = Then { now, offered };
    let changed: Vec<NodeTypeRef> =
        now.list().into_iter().filter(|(uses, node)| then.goes(uses, node)).map(|(uses, _)| uses).collect();
    let mut unfit = Unfit::default();
    if changed.is_empty() {
        return Ok(unfit);
    }
    for organisation in people::organisations(records)? {
        for entry in kept::all::<catalogue::Entry>(records, &organisation.id, "workflows/")? {
            let catalogue::Entry { name, version, enabled, .. } = entry.value;
            if !enabled {
                continue;
            }
            let text = catalogue::kept_version(records, &organisation.id, &name, version)?.text;
            if !may_use(&text, &changed) || !problems(records, &organisation.id, &text, now).is_empty() {
                continue;
            }
            let problems = problems(records, &organisation.id, &text, &then);
            if !problems.is_empty() {
                add(&mut unfit, organisation.id == *asks, &name, &problems);
            }
        }
    }
    Ok(unfit)
}

fn add(unfit: &mut Unfit, ours: bool, name: &WorkflowName, problems: &[Problem]) {
    if !ours || unfit.workflows.len() == TOLD {
        unfit.more += 1;
        return;
    }
    let told = problems.iter().take(PROBLEMS).map(|problem| ProblemThen {
        code: problem.code.to_owned(),
        message: problem.message.clone(),
        line: problem.place.line,
        column: problem.place.column,
        remedy: problem.remedy.clone(),
    });
    unfit.workflows.push(UnfitWorkflow { workflow: name.to_string(), problems: told.collect() });
}

/// Whether it is worth a closer look: what it runs in turn is found there.
fn may_use(text: &str, changed: &[NodeTypeRef]) -> bool {
    // A backslash may write any letter in another way.
    text.contains('\\') || text.contains("workflow@") || changed.iter().any(|uses| text.contains(&*uses.name))
}

/// What keeps a text, or a workflow that it runs, from being started with these node types.
fn problems(records: &dyn Records, organisation: &OrganisationId, text: &str, registry: &dyn Registry) -> Vec<Problem> {
    let (workflow, mut problems) = Workflow::parse(text);
    if let Some(workflow) = &workflow {
        problems.extend(workflow::validate(workflow, registry));
    }
    problems.retain(Problem::is_error);
    if let Some(workflow) = workflow.filter(|_| problems.is_empty())
        && let Err(below) = children::resolve_with(records, organisation, &workflow, registry)
    {
        problems.extend(below);
    }
    problems
}
