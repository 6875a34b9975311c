//! Events that nodes publish.

use std::sync::Weak;

use serde_json::{Value, json};
use windflow_core::capability::is_public_event;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::Digest;
use windflow_core::json::Json;
use windflow_core::ports::events::{Events, Publication};
use windflow_core::ports::store::BoxFuture;

use super::{Event, Heard, Told, chain, tell};
use crate::launch::promise;
use crate::problem::Problem;
use crate::state::{App, Held};

/// Tells what nodes publish, as long as the server is there. The server holds the runtime, which holds this.
pub(crate) struct Publisher(Weak<dyn Held>);

impl Publisher {
    pub(crate) fn of(app: &App) -> Self {
        Self(app.weak())
    }

    async fn tell(&self, publication: Publication) -> Result<Json, Failure> {
        let Some(app) = App::of_weak(&self.0) else {
            return Err(unavailable("the server is stopping"));
        };
        let Publication { organisation, name, data, run, key } = publication;
        if !is_public_event(&name) {
            let why = format!(
                "{name:?} is no name that an event can have: write words with dots between them, as in order.placed; `run.` belongs to the engine"
            );
            return Err(Failure { code: "invalid_event".into(), ..Failure::new(FailureKind::Node, why) });
        }
        let depth = chain::depth(&*app.store, &organisation, run).map_err(unavailable)?;
        if depth >= chain::LONGEST {
            let why = format!(
                "the event {name} was not published: {depth} events in a row have led to this run, each published by what the one before it started. Workflows that start each other in a circle would never end; let one of them stop, or start the next one as its child with `uses: workflow@1`"
            );
            return Err(Failure { code: "event_chain".into(), ..Failure::new(FailureKind::Denied, why) });
        }
        let asked = Digest::of(format!("{name}\0{}", data.text()).as_bytes());
        let promise =
            promise(&app, &organisation, &format!("published/{key}"), asked).map_err(|problem| failed(&problem))?;
        let event = Event {
            organisation,
            name,
            at: promise.at,
            cause: promise.run.to_string(),
            data: data.value().clone(),
            repeated: promise.repeated,
            depth: depth + 1,
        };
        let told = tell(&app, &event).await.map_err(|problem| failed(&problem))?;
        Ok(Json::from(json!({
            "started": told.started.iter().map(shown).collect::<Vec<_>>(),
            "answered": told.answered.iter().map(heard).collect::<Vec<_>>(),
        })))
    }
}

impl Events for Publisher {
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<Json, Failure>> {
        Box::pin(self.tell(publication))
    }
}

fn shown(told: &Told) -> Value {
    let (run, error) = match &told.started {
        Ok(run) => (Some(run.to_string()), None),
        Err(why) => (None, Some(why)),
    };
    json!({ "workflow": told.workflow, "trigger": told.trigger, "run": run, "error": error })
}

fn heard(heard: &Heard) -> Value {
    json!({ "run": heard.run, "node": heard.node, "item": heard.item, "error": heard.refused })
}

fn unavailable(why: impl std::fmt::Display) -> Failure {
    let failure = Failure::new(FailureKind::Unavailable, format!("the event was not published: {why}"));
    Failure { retry: RetryHint::MayHelp, ..failure }
}

fn failed(problem: &Problem) -> Failure {
    if problem.status() >= 500 {
        return unavailable(problem);
    }
    Failure::new(FailureKind::Node, format!("the event was not published: {problem}"))
}
