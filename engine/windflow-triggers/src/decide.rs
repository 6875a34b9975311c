//! What a schedule owes at an instant: one pure decision, over what it remembers.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use windflow_core::id::RunId;

use crate::cron::{CatchUp, Cron, Overlap};

/// An instant that is started so late was missed; earlier is the ordinary delay of a busy machine. In milliseconds.
const ON_TIME: u64 = 60_000;

/// Instants that wait for their turn, at most. More are left out, and told.
const MAX_QUEUED: usize = 100;

/// Instants that are looked at in one decision.
const MAX_LOOKED_AT: usize = 1000;

/// What a schedule remembers; kept in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronState {
    /// The last instant that was decided on, in milliseconds since 1970. When it was enabled, before there is one.
    pub last: u64,
    /// Instants that wait for the run before them.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub queued: VecDeque<u64>,
    /// The run that was started last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Instants that were left out because the run before still ran.
    #[serde(default)]
    pub skipped: u64,
    /// Instants that were left out because no server ran; where there are very many, at least so many.
    #[serde(default)]
    pub missed: u64,
    /// Why the last instant could not start a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The code of that, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Start a run for each of these instants, in this order.
    pub fire: Vec<u64>,
    /// Then remember this.
    pub state: CronState,
}

/// What is owed at `now`. `busy` says whether the run that was started last still runs.
#[must_use]
pub fn decide(cron: &Cron, state: &CronState, now: u64, busy: bool) -> Decision {
    let mut state = state.clone();
    let due = due(cron, &mut state, now);
    let mut fire = Vec::new();
    for (instant, late) in due {
        match cron.overlap {
            Overlap::Allow => fire.push(instant),
            // What is caught up takes its turn: leaving it out again would be no catching up.
            Overlap::Skip if !late && (busy || !fire.is_empty() || !state.queued.is_empty()) => state.skipped += 1,
            Overlap::Skip if !late => fire.push(instant),
            Overlap::Skip | Overlap::Queue if state.queued.len() >= MAX_QUEUED => state.skipped += 1,
            Overlap::Skip | Overlap::Queue => state.queued.push_back(instant),
        }
    }
    if !busy && fire.is_empty() {
        fire.extend(state.queued.pop_front());
    }
    Decision { fire, state }
}

/// The instants that are to start, each with whether it is caught up. Moves on what the state remembers.
fn due(cron: &Cron, state: &mut CronState, now: u64) -> Vec<(u64, bool)> {
    let after = state.last;
    let (instants, more) = between(cron, after, now);
    let is_late = |instant: u64| now.saturating_sub(instant + cron.delay(instant)) > ON_TIME;
    if more && cron.catch_up != CatchUp::All {
        // So many were missed that only the last of them are worth knowing one by one.
        state.missed += instants.len() as u64;
        state.last = recent(cron, after, now);
        return due(cron, state, now);
    }
    if let Some(last) = instants.last() {
        state.last = *last;
    }
    let (late, on_time): (Vec<u64>, Vec<u64>) = instants.into_iter().partition(|instant| is_late(*instant));
    let caught_up = match cron.catch_up {
        CatchUp::All => late.as_slice(),
        // A tick that is on time says all that the last of the missed ones would have.
        CatchUp::Latest if on_time.is_empty() => late.split_at(late.len().saturating_sub(1)).1,
        CatchUp::None | CatchUp::Latest => &[],
    };
    state.missed += (late.len() - caught_up.len()) as u64;
    caught_up
        .iter()
        .map(|instant| (*instant, true))
        .chain(on_time.into_iter().map(|instant| (instant, false)))
        .collect()
}

/// The instants whose time has come, and whether there are more than are looked at.
fn between(cron: &Cron, mut after: u64, now: u64) -> (Vec<u64>, bool) {
    let mut instants = Vec::new();
    while let Some(next) = cron.next(after).filter(|next| next + cron.delay(*next) <= now) {
        if instants.len() == MAX_LOOKED_AT {
            return (instants, true);
        }
        instants.push(next);
        after = next;
    }
    (instants, false)
}

/// A point in time behind which there are some instants, but not too many.
fn recent(cron: &Cron, after: u64, now: u64) -> u64 {
    let mut window = ON_TIME;
    loop {
        let from = now.saturating_sub(window).max(after);
        let (instants, more) = between(cron, from, now);
        if more {
            // A minute with that many does not exist: seconds are the smallest unit.
            return now.saturating_sub(ON_TIME);
        }
        if !instants.is_empty() || from == after {
            return from;
        }
        window = window.saturating_mul(4);
    }
}

/// When to look again at the latest: at the next instant, or at once for what waits only for its turn (none: the end of a
/// run is what to wait for).
#[must_use]
pub fn due_again(cron: &Cron, state: &CronState) -> Option<u64> {
    cron.next(state.last).map(|next| next.saturating_add(cron.delay(next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use windflow_core::workflow::Workflow;

    const MINUTE: u64 = 60_000;
    /// 2026-11-21T07:00:00Z.
    const START: u64 = 1_795_244_400_000;

    fn cron(more: &str) -> Cron {
        let with = format!("schedule: \"*/10 * * * *\"{more}");
        let text = format!(
            "windflow: 1\nname: a\ntriggers:\n  t: {{ uses: cron, with: {{ {with} }} }}\nnodes: {{ n: {{ uses: log@1 }} }}\n"
        );
        let (triggers, problems) = crate::compile(&Workflow::parse(&text).0.unwrap());
        assert!(problems.is_empty(), "{problems:?}");
        Cron::clone(&triggers.crons[0])
    }

    fn state(last: u64) -> CronState {
        CronState { last: START + last * MINUTE, ..CronState::default() }
    }

    /// Minutes after the start that fire, how many were skipped and missed, and which wait.
    fn check(more: &str, from: &CronState, now: u64, busy: bool, expect: (&[u64], u64, u64, &[u64])) -> CronState {
        let decision = decide(&cron(more), from, START + now * MINUTE + 1, busy);
        let minutes = |all: &[u64]| all.iter().map(|at| (at - START) / MINUTE).collect::<Vec<_>>();
        let queued: Vec<u64> = decision.state.queued.iter().copied().collect();
        let found = (minutes(&decision.fire), decision.state.skipped, decision.state.missed, minutes(&queued));
        assert_eq!(found, (expect.0.to_vec(), expect.1, expect.2, expect.3.to_vec()), "{more} at {now}, busy {busy}");
        decision.state
    }

    #[test]
    fn an_instant_fires_when_it_comes_and_only_once() {
        let next = check("", &state(0), 9, false, (&[], 0, 0, &[]));
        let next = check("", &next, 10, false, (&[10], 0, 0, &[]));
        let next = check("", &next, 10, false, (&[], 0, 0, &[]));
        check("", &next, 20, false, (&[20], 0, 0, &[]));
    }

    #[test]
    fn missed_instants_are_left_out_or_caught_up() {
        check("", &state(0), 35, false, (&[], 0, 3, &[]));
        check(", catch_up: none", &state(0), 30, false, (&[30], 0, 2, &[]));
        check(", catch_up: latest", &state(0), 35, false, (&[30], 0, 2, &[]));
        check(", catch_up: latest", &state(0), 30, false, (&[30], 0, 2, &[]));
        check(", catch_up: latest, overlap: allow", &state(0), 35, false, (&[30], 0, 2, &[]));
        check(", catch_up: all, overlap: allow", &state(0), 35, false, (&[10, 20, 30], 0, 0, &[]));
        let next = check(", catch_up: all", &state(0), 35, false, (&[10], 0, 0, &[20, 30]));
        let next = check(", catch_up: all", &next, 35, true, (&[], 0, 0, &[20, 30]));
        let next = check(", catch_up: all", &next, 36, false, (&[20], 0, 0, &[30]));
        check(", catch_up: all", &next, 37, false, (&[30], 0, 0, &[]));
    }

    #[test]
    fn an_instant_that_overlaps_is_left_out_or_waits_or_starts() {
        check("", &state(0), 10, true, (&[], 1, 0, &[]));
        check(", overlap: allow", &state(0), 10, true, (&[10], 0, 0, &[]));
        let next = check(", overlap: queue", &state(0), 10, true, (&[], 0, 0, &[10]));
        let next = check(", overlap: queue", &next, 20, true, (&[], 0, 0, &[10, 20]));
        let next = check(", overlap: queue", &next, 21, false, (&[10], 0, 0, &[20]));
        check(", overlap: queue", &next, 22, false, (&[20], 0, 0, &[]));
    }

    #[test]
    fn years_of_absence_are_decided_at_once() {
        let years = 5 * 366 * 24 * 60;
        let decision = decide(&cron(", catch_up: latest"), &state(0), START + (years + 5) * MINUTE, false);
        assert_eq!(decision.fire, [START + years * MINUTE]);
        assert!(decision.state.missed >= 1000);
        let decision = decide(&cron(""), &state(0), START + years * MINUTE + 1, false);
        assert_eq!(decision.fire, [START + years * MINUTE]);
        let all = decide(&cron(", catch_up: all"), &state(0), START + (years + 5) * MINUTE, false);
        assert_eq!((all.fire, all.state.queued.len()), (vec![START + 10 * MINUTE], MAX_QUEUED - 1));
    }

    #[test]
    fn the_queue_is_bounded_and_says_what_it_left_out() {
        let mut next = state(0);
        for tick in 1..=110 {
            next = decide(&cron(", overlap: queue"), &next, START + tick * 10 * MINUTE + 1, true).state;
        }
        assert_eq!((next.queued.len(), next.skipped), (MAX_QUEUED, 10));
    }

    #[test]
    fn jitter_puts_off_by_the_same_each_time() {
        let jittered = cron(", jitter: 5m");
        let again = due_again(&jittered, &state(0)).unwrap();
        let delay = again - (START + 10 * MINUTE);
        assert!(delay < 5 * MINUTE && again == due_again(&jittered, &state(0)).unwrap());
        assert!(decide(&jittered, &state(0), again - 1, false).fire.is_empty());
        assert_eq!(decide(&jittered, &state(0), again, false).fire, [START + 10 * MINUTE]);
    }

    #[test]
    fn what_it_remembers_reads_back() {
        let kept = serde_json::to_string(&state(0)).unwrap();
        assert_eq!(serde_json::from_str::<CronState>(&kept).unwrap(), state(0));
        let old: CronState = serde_json::from_str("{\"last\":5}").unwrap();
        assert_eq!(old.last, 5);
    }
}
