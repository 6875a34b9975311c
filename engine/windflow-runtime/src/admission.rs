//! Which runs may go on, of workflows that say how many do at the same time.
//!
//! Nothing of this is kept: runs are taken up after a crash in the order in which they were started, and so stand in line
//! as they did before.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};
use windflow_core::id::{OrganisationId, RunKey, WorkflowName};
use windflow_core::workflow::OnLimit;

/// Runs of one workflow that wait for others. One more is refused.
const MAX_WAITING: usize = 10_000;

/// Runs that count together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) organisation: OrganisationId,
    pub(crate) workflow: WorkflowName,
    /// What the workflow tells its runs apart by.
    pub(crate) key: String,
}

/// What a workflow asks for.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) group: Group,
    pub(crate) limit: u32,
    pub(crate) on_limit: OnLimit,
}

/// A run that would be one too many.
#[derive(Debug)]
pub(crate) struct Full;

/// All groups that have a run.
#[derive(Debug, Default)]
pub(crate) struct Admission(Mutex<HashMap<Group, VecDeque<Member>>>);

/// A run in line, or past it. Members stand in the order of their starts.
#[derive(Debug)]
struct Member {
    run: RunKey,
    limit: usize,
    /// Wakes it up; none once it may go on.
    waits: Option<oneshot::Sender<()>>,
    cancel: watch::Sender<Option<String>>,
    /// It was asked to stop, in favour of another.
    leaves: bool,
}

/// A run's place in its group, which it gives up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    group: Group,
    run: RunKey,
    turn: Option<oneshot::Receiver<()>>,
    on_limit: OnLimit,
}

impl Admission {
    /// Gives a run its place. `ancestors` wait for it, so that it never waits for them.
    pub(crate) fn enter(
        self: &Arc<Self>,
        limit: Limit,
        run: &RunKey,
        ancestors: &[RunKey],
        cancel: watch::Sender<Option<String>>,
    ) -> Result<Place, Full> {
        let Limit { group, limit, on_limit } = limit;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut groups = self.lock();
        let members = groups.entry(group.clone()).or_default();
        let admitted = members.iter().filter(|member| member.waits.is_none()).count();
        let is_full = admitted >= limit;
        let refused = is_full
            && (on_limit == OnLimit::Skip
                || members.len() - admitted >= MAX_WAITING
                || members.iter().any(|member| ancestors.contains(&member.run)));
        if refused {
            return Err(Full);
        }
        let (waits, turn) = oneshot::channel();
        // Whoever came first goes first, even where its own version of the workflow allows fewer.
        let waits = (is_full || admitted < members.len()).then_some(waits);
        let turn = waits.is_some().then_some(turn);
        members.push_back(Member { run: run.clone(), limit, waits, cancel, leaves: false });
        Ok(Place { admission: Arc::clone(self), group, run: run.clone(), turn, on_limit })
    }

    /// Whether a run waits for others of its workflow to end.
    pub(crate) fn is_queued(&self, run: &RunKey) -> bool {
        let groups = self.lock();
        let mut members = groups.iter().filter(|(group, _)| group.organisation == run.organisation);
        members.any(|(_, members)| members.iter().any(|member| member.waits.is_some() && member.run == *run))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Group, VecDeque<Member>>> {
        // Nothing that holds the lock can leave the table half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Asks the oldest runs to stop, where that is how the workflow makes room. Call it once the run's beginning is recorded.
    pub(crate) fn make_room(&self) {
        if self.on_limit != OnLimit::CancelOldest {
            return;
        }
        let mut groups = self.admission.lock();
        let Some(members) = groups.get_mut(&self.group) else { return };
        let Some(own) = members.iter().find(|member| member.run == self.run) else { return };
        let limit = own.limit;
        let staying = members.iter().filter(|member| !member.leaves).count();
        let older = members.iter_mut().filter(|member| !member.leaves && member.run != self.run);
        for member in older.take(staying.saturating_sub(limit)) {
            member.leaves = true;
            member.cancel.send_replace(Some("a newer run of the same workflow".to_owned()));
        }
    }

    /// Whether it has to wait.
    pub(crate) fn is_waiting(&self) -> bool {
        self.turn.is_some()
    }

    /// Returns once the run may go on.
    pub(crate) async fn admitted(&mut self) {
        if let Some(turn) = &mut self.turn {
            // The sender is dropped with the place, and the place is here.
            let _ = turn.await;
            self.turn = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut groups = self.admission.lock();
        let Some(members) = groups.get_mut(&self.group) else { return };
        members.retain(|member| member.run != self.run);
        if members.is_empty() {
            groups.remove(&self.group);
            return;
        }
        let mut admitted = members.iter().filter(|member| member.waits.is_none()).count();
        for member in members.iter_mut().filter(|member| member.waits.is_some()) {
            if admitted >= member.limit {
                break;
            }
            if let Some(waits) = member.waits.take() {
                // It may be on its way out: its place goes on to the next when it is gone.
                let _ = waits.send(());
                admitted += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use windflow_core::id::RunId;

    use super::*;

    struct Line(Arc<Admission>);

    impl Line {
        fn enter(
            &self,
            number: u128,
            limit: u32,
            on_limit: OnLimit,
        ) -> Result<(Place, watch::Receiver<Option<String>>), Full> {
            let organisation = OrganisationId::local();
            let group = Group { organisation, workflow: "a".parse().unwrap(), key: String::new() };
            let (cancel, cancelled) = watch::channel(None);
            let place = self.0.enter(Limit { group, limit, on_limit }, &run(number), &[], cancel)?;
            place.make_room();
            Ok((place, cancelled))
        }
    }

    fn run(number: u128) -> RunKey {
        RunKey { organisation: OrganisationId::local(), run: RunId(uuid::Uuid::from_u128(number)) }
    }

    #[tokio::test]
    async fn runs_go_on_in_the_order_of_their_starts() {
        let line = Line(Arc::default());
        let (first, _) = line.enter(1, 1, OnLimit::Queue).unwrap();
        let (mut second, _) = line.enter(2, 1, OnLimit::Queue).unwrap();
        let (third, _) = line.enter(3, 1, OnLimit::Queue).unwrap();
        assert!(!first.is_waiting() && second.is_waiting() && line.0.is_queued(&run(3)));
        drop(first);
        second.admitted().await;
        assert!(!line.0.is_queued(&run(2)) && line.0.is_queued(&run(3)));
        drop(third);
        drop(second);
        assert!(line.0.lock().is_empty(), "nothing is left of runs that are gone");
    }

    #[test]
    fn one_too_many_is_refused_where_the_workflow_says_so() {
        let line = Line(Arc::default());
        let _first = line.enter(1, 2, OnLimit::Skip).unwrap();
        let second = line.enter(2, 2, OnLimit::Skip).unwrap();
        assert!(line.enter(3, 2, OnLimit::Skip).is_err());
        drop(second);
        assert!(line.enter(4, 2, OnLimit::Skip).is_ok());
    }

    #[test]
    fn the_newest_takes_the_place_of_the_oldest() {
        let line = Line(Arc::default());
        let (first, first_cancelled) = line.enter(1, 1, OnLimit::CancelOldest).unwrap();
        let (_second, second_cancelled) = line.enter(2, 1, OnLimit::CancelOldest).unwrap();
        assert!(first_cancelled.borrow().is_some() && line.0.is_queued(&run(2)));
        // The first one is leaving already: now it is the second, which has not even begun.
        let (_third, third_cancelled) = line.enter(3, 1, OnLimit::CancelOldest).unwrap();
        assert!(second_cancelled.borrow().is_some() && third_cancelled.borrow().is_none());
        drop(first);
        assert!(!line.0.is_queued(&run(2)), "it goes on, to end");
    }

    #[test]
    fn a_run_does_not_wait_for_the_one_that_waits_for_it() {
        let line = Line(Arc::default());
        let (_parent, _) = line.enter(1, 1, OnLimit::Queue).unwrap();
        let group = Group { organisation: OrganisationId::local(), workflow: "a".parse().unwrap(), key: String::new() };
        let limit = Limit { group, limit: 1, on_limit: OnLimit::Queue };
        assert!(line.0.enter(limit, &run(2), &[run(1)], watch::channel(None).0).is_err());
    }
}
