//! What a run did, for those who collect traces.

use windflow_core::id::{NodeId, RunKey};
use windflow_core::ports::store::StoreError;
use windflow_core::run::{Event, Sequence};
use windflow_core::trace::{About, RunTrace, Span, Spans};
use windflow_core::workflow::OnItemError;

use crate::Runtime;
use crate::run_loop::Lost;

/// Records that are read at a time.
const READ: usize = 1024;

impl Runtime {
    /// Tells what of a run was over after a place in its journal as spans, so many together, until `tell` says that it wants no more. Returns
    /// how far the journal was read: what is over later is told from there on, and nothing twice. The spans come from the journal: a run that
    /// another process began has all of them, and how fast they are told is no matter to any run. Nothing is told where no traces are, or
    /// not of this run. Of a run that has not ended, what is told may not be durable yet.
    ///
    /// # Errors
    /// [`Lost`] where the run cannot be read, or its document is not valid any more.
    pub fn spans(
        &self,
        key: &RunKey,
        after: Sequence,
        together: usize,
        mut tell: impl FnMut(Vec<Span>) -> bool,
    ) -> Result<Sequence, Lost> {
        let inner = &self.0;
        let Some(sampling) = inner.config.traces else { return Ok(after) };
        let mut records = inner.store.read(key, 0, READ)?;
        let Some((_, first)) = records.first() else { return Err(StoreError::NotFound(key.run.to_string()).into()) };
        let Event::RunStarted(started) = &first.event else {
            let message = format!("the journal of run {} does not begin with its start", key.run);
            return Err(StoreError::Corrupted(message).into());
        };
        if !RunTrace::of(key, started.trace_context(), sampling).sampled {
            return Ok(after);
        }
        let document = inner.store.blob(&key.organisation, &started.document)?;
        let document = String::from_utf8(document)
            .map_err(|_| StoreError::Corrupted(format!("the document {} is no text", started.document)))?;
        let prepared = inner.plans.prepare(&document, &*inner.host).map_err(Lost::Document)?;
        let about = |node: &NodeId| {
            let node = prepared.plan.node(prepared.plan.index(node)?);
            let collects = node.for_each.as_ref().is_some_and(|each| each.on_item_error == OnItemError::Collect);
            Some(About { uses: node.uses.clone(), collects })
        };
        let mut spans = Spans::new(key.clone(), sampling, about);
        let (mut over, mut last) = (Vec::new(), 0);
        loop {
            let read = records.len();
            for (sequence, record) in &records {
                last = *sequence;
                spans.read(record, &mut over);
                if last <= after {
                    over.clear();
                }
                while over.len() >= together {
                    let rest = over.split_off(together);
                    if !tell(std::mem::replace(&mut over, rest)) {
                        return Ok(last);
                    }
                }
            }
            if read < READ {
                break;
            }
            records = inner.store.read(key, last, READ)?;
        }
        if !over.is_empty() {
            tell(over);
        }
        Ok(last)
    }
}
