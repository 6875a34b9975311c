//! Does what schedules owe. What that is, is decided in `windflow-triggers`.
//!
//! The order keeps each instant from firing twice: the run starts under an id that follows from the instant and is durable;
//! then what the schedule remembers is written. A crash in between finds the run there already.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use windflow_core::id::{OrganisationId, RunKey, WorkflowName};
use windflow_core::ports::records::{Expected, RecordsError};
use windflow_core::ports::store::RunStatus;
use windflow_core::run::Timestamp;
use windflow_runtime::StartError;
use windflow_triggers::{Cron, CronState, decide, due_again, run_id};

use crate::active::Armed;
use crate::kept::{self, Kept};
use crate::launch::{Launch, launch_as};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// The longest sleep: should the clock of the machine be set, it is noticed after so long.
const LONGEST_SLEEP: u64 = 60_000;

/// How long to wait after the store refused.
const AFTER_TROUBLE: u64 = 5_000;

pub(crate) fn state_key(workflow: &WorkflowName, trigger: &str) -> String {
    format!("cron/{workflow}/{trigger}")
}

/// Forgets what the schedules of a workflow remember: they begin anew when it is enabled.
pub(crate) fn forget(app: &App, organisation: &OrganisationId, workflow: &WorkflowName) -> Answer<()> {
    let page = app.records.scan(organisation, &format!("cron/{workflow}/"), None, 1000)?;
    for stored in page.items {
        app.records.delete(organisation, &stored.key, Expected::Any)?;
    }
    Ok(())
}

type Key = (OrganisationId, WorkflowName, Arc<str>);

/// What the schedules remember, read once.
#[derive(Default)]
pub(crate) struct Scheduler {
    states: HashMap<Key, Kept<CronState>>,
}

/// Watches the clock until the server stops.
pub(crate) async fn watch(app: App) {
    let mut scheduler = Scheduler::default();
    loop {
        // Anew each time, so that only what ends from now on is heard.
        let mut turns = app.runtime.turns();
        let wake = scheduler.tick(&app).await;
        let sleep = app.clock.sleep_until(wake);
        tokio::select! {
            () = sleep => {}
            () = app.active.changed.notified() => {}
            // The end of a run may let another one begin.
            _ = turns.next(), if scheduler.waits() => tokio::time::sleep(Duration::from_millis(20)).await,
            () = app.stopped() => return,
        }
    }
}

impl Scheduler {
    /// Whether some instant waits for the end of a run.
    fn waits(&self) -> bool {
        self.states.values().any(|state| !state.value.queued.is_empty())
    }

    /// Does all that is owed now, and says when to look again.
    pub(crate) async fn tick(&mut self, app: &App) -> Timestamp {
        let now = app.now();
        let mut wake = now.0 + LONGEST_SLEEP;
        let crons = app.active.crons();
        self.states.retain(|key, _| crons.iter().any(|cron| key_of(cron) == *key));
        for cron in crons {
            let next = match self.one(app, &cron, now).await {
                Ok(next) => next,
                Err(problem) => {
                    tracing::error!(workflow = %cron.workflow, trigger = %cron.trigger.name, ?problem, "a schedule could not be kept");
                    // What it remembers may be another thing than we do.
                    self.states.remove(&key_of(&cron));
                    Some(now.0 + AFTER_TROUBLE)
                }
            };
            wake = next.map_or(wake, |next| next.min(wake));
        }
        Timestamp(wake.max(now.0 + 1))
    }

    async fn one(&mut self, app: &App, cron: &Armed<Cron>, now: Timestamp) -> Answer<Option<u64>> {
        let key = key_of(cron);
        let place = state_key(&cron.workflow, &cron.trigger.name);
        let known = match self.states.get(&key) {
            Some(known) => Some(known.clone()),
            None => kept::read::<CronState>(&*app.records, &cron.organisation, &place)?,
        };
        let known = match known {
            Some(known) => known,
            None => {
                // It was enabled just now: what lies before is not missed.
                let state = CronState { last: now.0, ..CronState::default() };
                self.write(app, cron, Expected::Absent, state).await?
            }
        };
        let decision = decide(&cron.trigger, &known.value, now.0, is_busy(app, cron, &known.value));
        count(app, cron, &known.value, &decision.state);
        let mut state = decision.state;
        for instant in decision.fire {
            fire(app, cron, &mut state, instant).await?;
        }
        let next = due_again(&cron.trigger, &state);
        if state != known.value {
            self.write(app, cron, Expected::Version(known.version), state).await?;
        } else {
            self.states.insert(key, known);
        }
        Ok(next)
    }

    async fn write(
        &mut self,
        app: &App,
        cron: &Armed<Cron>,
        expected: Expected,
        state: CronState,
    ) -> Answer<Kept<CronState>> {
        let place = state_key(&cron.workflow, &cron.trigger.name);
        match app.records.put(&cron.organisation, &place, expected, kept::encode(&state)?) {
            Ok(changed) => {
                let kept = Kept { version: changed.version, value: state };
                self.states.insert(key_of(cron), kept.clone());
                Ok(kept)
            }
            // It was switched off and on again meanwhile: the next look reads what is there.
            Err(error @ RecordsError::Conflict { .. }) => Err(error.into()),
            Err(error) => Err(error.into()),
        }
    }
}

fn key_of(cron: &Armed<Cron>) -> Key {
    (cron.organisation.clone(), cron.workflow.clone(), cron.trigger.name.clone())
}

fn is_busy(app: &App, cron: &Armed<Cron>, state: &CronState) -> bool {
    let Some(run) = state.run else { return false };
    let key = RunKey { organisation: cron.organisation.clone(), run };
    app.store.run(&key).is_ok_and(|run| matches!(run.status, RunStatus::Running | RunStatus::Cancelling))
}

/// Tells of instants that were left out.
fn count(app: &App, cron: &Armed<Cron>, before: &CronState, after: &CronState) {
    for (outcome, was, is) in [("skipped", before.skipped, after.skipped), ("missed", before.missed, after.missed)] {
        let more = is.saturating_sub(was);
        if more > 0 {
            tracing::warn!(workflow = %cron.workflow, trigger = %cron.trigger.name, more, "instants of a schedule were {outcome}");
            app.metrics.ticks.with_label_values(&[outcome]).inc_by(more);
        }
    }
}

async fn fire(app: &App, cron: &Armed<Cron>, state: &mut CronState, instant: u64) -> Answer<()> {
    let run = run_id(&cron.organisation, &cron.workflow, &cron.trigger.name, Timestamp(instant));
    let data = cron.trigger.data(instant);
    let outcome = match windflow_triggers::inputs(&cron.trigger.inputs, &data) {
        Err(error) => Err((Some("invalid_expression"), error.to_string())),
        Ok(inputs) => {
            let by = format!("cron:{}", cron.trigger.name);
            let what = Launch::new(&cron.organisation, &*cron.document, inputs, by);
            match launch_as(app, what, run).await {
                Ok(_) => Ok(()),
                Err(StartError::Invalid(invalid)) => Err(invalid.problems.first().map_or_else(
                    || (None, invalid.to_string()),
                    |problem| (Some(problem.code), problem.message.clone()),
                )),
                Err(error @ StartError::AtLimit { .. }) => {
                    tracing::warn!(workflow = %cron.workflow, trigger = %cron.trigger.name, %error, "an instant of a schedule was skipped");
                    app.metrics.ticks.with_label_values(&["skipped"]).inc();
                    state.skipped += 1;
                    return Ok(());
                }
                // The store refuses: nothing was decided, the instant is still owed.
                Err(error) => return Err(Problem::from(error)),
            }
        }
    };
    match outcome {
        Ok(()) => {
            state.run = Some(run);
            (state.error, state.error_code) = (None, None);
            app.metrics.ticks.with_label_values(&["fired"]).inc();
        }
        Err((code, why)) => {
            tracing::error!(workflow = %cron.workflow, trigger = %cron.trigger.name, why, "a schedule could not start its run");
            (state.error, state.error_code) = (Some(why), code.map(str::to_owned));
            app.metrics.ticks.with_label_values(&["failed"]).inc();
        }
    }
    Ok(())
}
