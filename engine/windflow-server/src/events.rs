//! Events, told to the workflows that listen to them: what outsiders publish, and what became of runs.

mod chain;
mod published;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use windflow_core::id::{NodeId, OrganisationId, RunId, RunKey};
use windflow_core::ports::records::Expected;
use windflow_core::ports::store::{RunQuery, RunStatus, RunSummary};
use windflow_core::run::Timestamp;
use windflow_runtime::{Happened, Turn};
use windflow_triggers::event_run_id;

use crate::dead_letters;
use crate::kept;
use crate::launch::{self, Launch, launch_as};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

pub(crate) use self::published::Publisher;

/// Runs that ended and are still to be told.
const WAITING: usize = 4096;
/// Up to where the ends of runs have been told.
const TOLD: &str = "events/told";
/// How often that is kept.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// Runs that are looked at after a start, the newest first, for ends that nobody was told of.
const LOOKED_AT: usize = 5000;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) organisation: OrganisationId,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    /// What tells it from every other event of its name.
    pub(crate) cause: String,
    pub(crate) data: Value,
    /// Whether it may have been told before.
    pub(crate) repeated: bool,
    /// How many events in a row have led to what it starts, each published by what the one before it started.
    pub(crate) depth: u32,
}

/// What came of an event.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) started: Vec<Told>,
    pub(crate) answered: Vec<Heard>,
}

/// A question that an event answered, or why it did not.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) run: RunId,
    pub(crate) node: NodeId,
    pub(crate) item: Option<u32>,
    pub(crate) refused: Option<String>,
}

/// What an event started.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) workflow: String,
    pub(crate) trigger: String,
    pub(crate) started: Result<RunId, String>,
}

/// Answers the runs that wait for it, and starts everything that listens, each once for the same event; durable when it returns.
pub(crate) async fn tell(app: &App, event: &Event) -> Answer<Outcome> {
    // First, so that no run which the event starts hears of it a second time.
    let answered = answer(app, event).await?;
    Ok(Outcome { answered, started: start(app, event).await? })
}

async fn answer(app: &App, event: &Event) -> Answer<Vec<Heard>> {
    let Event { organisation, name, data, .. } = event;
    let before = event.repeated.then_some(event.at);
    let mut heard = Vec::new();
    for answered in app.runtime.happened(Happened { organisation, name, data, before }).await {
        let (run, node, item) = (answered.run.run, answered.node, answered.item);
        let refused = match answered.taken.map_err(Problem::from) {
            Ok(_) => None,
            // Nothing can be kept: whoever told it has to tell it again.
            Err(problem) if problem.status() >= 500 => return Err(problem),
            Err(problem) => {
                tracing::warn!(%run, %node, event = name, why = %problem, "an event was no answer to the run that waits for it");
                Some(problem.to_string())
            }
        };
        heard.push(Heard { run, node, item, refused });
    }
    Ok(heard)
}

async fn start(app: &App, event: &Event) -> Answer<Vec<Told>> {
    let mut told = Vec::new();
    for armed in app.active.listeners(&event.organisation, &event.name) {
        let trigger = &armed.trigger;
        let data =
            json!({ "name": &*trigger.name, "event": event.name, "occurred_at": event.at.0, "data": event.data });
        let inputs = match trigger.passes(&data) {
            Ok(false) => continue,
            Ok(true) => windflow_triggers::inputs(&trigger.inputs, &data),
            Err(error) => Err(error),
        };
        let run =
            event_run_id(&event.organisation, &armed.workflow, &trigger.name, &event.name, &event.cause, event.at);
        let started = match inputs {
            Err(error) => Err(error.to_string()),
            Ok(inputs) => {
                let by = chain::started_by(&trigger.name, event.depth);
                let what = Launch::new(&event.organisation, &*armed.document, inputs, by);
                match launch_as(app, what, run).await.map_err(Problem::from) {
                    Ok(_) => Ok(run),
                    // Nothing can be kept: whoever told it has to tell it again.
                    Err(problem) if problem.status() >= 500 => return Err(problem),
                    Err(problem) => Err(problem.to_string()),
                }
            }
        };
        if let Err(why) = &started {
            tracing::error!(workflow = %armed.workflow, trigger = %trigger.name, event = event.name, why, "an event could not start its run");
        }
        told.push(Told { workflow: armed.workflow.to_string(), trigger: trigger.name.to_string(), started });
    }
    Ok(told)
}

/// The event of a run's end. What an event has started tells none, or two workflows could start each other for ever; a
/// run that another one started is that one's business, and one that tries something is the business of who tries.
fn of_run(organisation: &OrganisationId, run: &RunSummary) -> Option<Event> {
    let word = match run.status {
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
        RunStatus::Running | RunStatus::Cancelling => return None,
    };
    if ["event:", "run ", launch::TEST].iter().any(|by| run.started_by.starts_with(by)) {
        return None;
    }
    Some(Event {
        organisation: organisation.clone(),
        name: format!("run.{word}"),
        at: run.finished_at?,
        cause: run.run.to_string(),
        repeated: true,
        depth: 1,
        data: json!({
            "run": run.run,
            "workflow": run.workflow,
            "status": word,
            "started_by": run.started_by,
            "started_at": run.started_at.0,
            "finished_at": run.finished_at.map(|at| at.0),
            "error": run.failure,
        }),
    })
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    up_to: u64,
}

/// Tells the ends of runs until the server stops. An end is told again after a crash rather than never: what it starts has
/// an id that follows from it.
pub(crate) async fn watch(app: App) {
    let (sender, mut receiver) = mpsc::channel::<RunKey>(WAITING);
    let listening = async {
        let mut turns = app.runtime.turns();
        while let Some(turn) = turns.next().await {
            let missed = match turn {
                Ok(Turn::Left(key)) => sender.try_send(key).is_err(),
                Ok(Turn::Began(_) | Turn::Asked { .. }) => false,
                Err(_) => true,
            };
            if missed {
                tracing::warn!("ends of runs came faster than they could be told; they are looked up");
                look_up(&app).await;
            }
        }
    };
    let telling = async {
        look_up(&app).await;
        let mut kept_at = tokio::time::Instant::now();
        while let Some(key) = receiver.recv().await {
            let Ok(run) = app.store.run(&key) else { continue };
            one(&app, &key.organisation, &run).await;
            if receiver.is_empty() && kept_at.elapsed() >= KEEP_EVERY {
                kept_at = tokio::time::Instant::now();
                mark(&app, &key.organisation, app.now());
            }
        }
    };
    tokio::select! {
        () = listening => {}
        () = telling => {}
        () = app.stopped() => {}
    }
}

async fn one(app: &App, organisation: &OrganisationId, run: &RunSummary) {
    if let Err(error) = dead_letters::keep(app, organisation, run) {
        tracing::error!(run = %run.run, %error, "a run that failed could not be kept as a dead letter");
    }
    if let Err(problem) = crate::marketplace::first::ended(app, organisation, run).await {
        tracing::error!(run = %run.run, %problem, "what a failed installation left could not be taken away");
    }
    let Some(event) = of_run(organisation, run) else { return };
    if app.active.listeners(organisation, &event.name).is_empty() && !app.runtime.awaits(organisation, &event.name) {
        return;
    }
    // Until the store can keep something again there is nothing better to do than to wait.
    while let Err(problem) = tell(app, &event).await {
        tracing::error!(run = %run.run, %problem, "the end of a run could not be told");
        tokio::select! {
            () = tokio::time::sleep(KEEP_EVERY) => {}
            () = app.stopped() => return,
        }
    }
}

fn mark(app: &App, organisation: &OrganisationId, now: Timestamp) {
    // What ended a moment ago may still be on its way here.
    let mark = Mark { up_to: now.0.saturating_sub(60_000) };
    let kept = kept::encode(&mark).map_err(Problem::from);
    let kept = kept.and_then(|value| Ok(app.records.put(organisation, TOLD, Expected::Any, value)?));
    if let Err(problem) = kept {
        tracing::warn!(%problem, "it could not be kept which ends of runs were told");
    }
}

/// Tells what ended since the last mark.
async fn look_up(app: &App) {
    let found = {
        let app = app.clone();
        blocking(move || unseen(&app)).await
    };
    match found.and_then(|found| found) {
        Ok(found) => {
            for (organisation, run) in found {
                one(app, &organisation, &run).await;
            }
        }
        Err(problem) => tracing::error!(%problem, "the ends of runs could not be looked up"),
    }
}

fn unseen(app: &App) -> Answer<Vec<(OrganisationId, RunSummary)>> {
    let mut found = Vec::new();
    for organisation in crate::people::organisations(&*app.records)? {
        // Where nothing was ever told there is nothing to catch up with.
        let Some(mark) = kept::read::<Mark>(&*app.records, &organisation.id, TOLD)? else {
            mark(app, &organisation.id, app.now());
            continue;
        };
        let mut query = RunQuery { limit: 500, ..RunQuery::default() };
        for _ in 0..LOOKED_AT / 500 {
            let page = app.store.runs(&organisation.id, &query)?;
            let ended = |run: &RunSummary| run.finished_at.is_some_and(|at| at.0 >= mark.value.up_to);
            found.extend(page.items.into_iter().filter(ended).map(|run| (organisation.id.clone(), run)));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
    }
    // The one that ended first is told first.
    found.sort_by_key(|(_, run)| run.finished_at);
    Ok(found)
}
