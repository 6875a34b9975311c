//! Repeating a run.

use std::sync::Arc;

use windflow_core::capability::Grants;
use windflow_core::id::{NodeId, RunId, RunKey};
use windflow_core::ports::store::StoreError;
use windflow_core::problem::did_you_mean;
use windflow_core::rerun::{self, Old, Verdict};
use windflow_core::run::Phase;
use windflow_core::trace::TraceContext;
use windflow_core::workflow::Children;

use crate::load::replay;
use crate::run_loop::Lost;
use crate::service::Inner;
use crate::start::{Begin, InvalidStart, StartError, pin};

/// How a run is repeated.
#[derive(Debug, Clone, Default)]
pub struct Rerun {
    /// The workflow as it is now, with those that it runs; none for the one that the run had.
    pub document: Option<(String, Children)>,
    /// Nodes that run again whatever they did, and all that follows them. Empty: what did not succeed.
    pub from: Vec<NodeId>,
    /// Takes over what is unchanged of a run that succeeded, too.
    pub keep_unchanged: bool,
    /// What the operator grants beyond the document's `permissions:`, besides what was granted to the old run.
    pub extra_grants: Grants,
    /// Who repeats it.
    pub started_by: String,
    /// The work of another program that it is part of, where traces are told.
    pub trace: Option<TraceContext>,
}

/// Why a run is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// It goes on by itself.
    #[error("run {0} has not ended; cancel it, or resume it where it was interrupted")]
    NotEnded(RunId),
    /// The workflow has no such node.
    #[error("the workflow has no node `{node}` to run from{hint}")]
    UnknownNode {
        /// What was named.
        node: NodeId,
        /// What may have been meant.
        hint: String,
    },
    /// The new run cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The old run cannot be read.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl From<StoreError> for RerunError {
    fn from(error: StoreError) -> Self {
        Self::Lost(error.into())
    }
}

pub(crate) fn judge(inner: &Arc<Inner>, key: &RunKey, rerun: &Rerun) -> Result<(Verdict, String), RerunError> {
    let replayed = replay(inner, key)?;
    if !matches!(replayed.state.phase(), Phase::Ended { .. }) {
        return Err(RerunError::NotEnded(key.run));
    }
    let before = inner.store.blob(&key.organisation, &replayed.prepared.digest)?;
    let before = String::from_utf8(before)
        .map_err(|_| StoreError::Corrupted(format!("the document {} is no text", replayed.prepared.digest)))?;
    let document = rerun.document.as_ref().map_or(&before, |(text, _)| text);
    let prepared = inner
        .plans
        .prepare(document, &*inner.host)
        .map_err(|problems| StartError::Invalid(InvalidStart::of_document(problems)))?;
    for node in &rerun.from {
        if prepared.plan.index(node).is_none() {
            let known = prepared.plan.nodes().map(|(_, node)| node.id.as_str());
            let hint = did_you_mean(node.as_str(), known).map(|hint| format!(": {hint}")).unwrap_or_default();
            return Err(RerunError::UnknownNode { node: node.clone(), hint });
        }
    }
    let old = Old { document: &before, plan: &replayed.prepared.plan, state: &replayed.state };
    let verdict = rerun::judge(&old, document, &prepared.plan, &rerun.from, rerun.keep_unchanged);
    Ok((verdict, document.clone()))
}

pub(crate) fn begin(inner: &Arc<Inner>, key: &RunKey, rerun: Rerun) -> Result<Begin, RerunError> {
    let (verdict, document) = judge(inner, key, &rerun)?;
    let replayed = replay(inner, key)?;
    let started = replayed.state.started().cloned().ok_or_else(|| StoreError::NotFound(key.run.to_string()))?;
    let children = match rerun.document {
        Some((_, children)) => pin(inner, &key.organisation, children)?,
        None => started.children,
    };
    let mut allowed = started.allowed;
    allowed.http.extend(rerun.extra_grants.http);
    allowed.credentials.extend(rerun.extra_grants.credentials);
    Ok(Begin {
        organisation: key.organisation.clone(),
        document,
        inputs: started.inputs.value().as_object().cloned().unwrap_or_default(),
        allowed,
        started_by: rerun.started_by,
        children,
        parent: None,
        repeats: Some(key.run),
        reused: verdict.reused(),
        trace: rerun.trace,
    })
}
