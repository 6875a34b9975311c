//! The triggers of all enabled workflows, as webhooks and the scheduler look them up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Notify};
use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_triggers::{Cron, EventTrigger, Triggers, Webhook};

/// A trigger together with the workflow that it starts.
#[derive(Debug)]
pub(crate) struct Armed<T> {
    pub(crate) organisation: OrganisationId,
    pub(crate) workflow: WorkflowName,
    /// The version that it starts, as text.
    pub(crate) document: Arc<str>,
    pub(crate) trigger: Arc<T>,
}

type Path = (OrganisationId, String);
type Name = (OrganisationId, WorkflowName);

#[derive(Debug, Default)]
struct Table {
    hooks: HashMap<Path, Vec<Arc<Armed<Webhook>>>>,
    crons: HashMap<Name, Vec<Arc<Armed<Cron>>>>,
    events: HashMap<Name, Vec<Arc<Armed<EventTrigger>>>>,
}

/// The table. What it holds follows from the store, and is made anew at each start.
#[derive(Debug, Default)]
pub(crate) struct Active {
    table: RwLock<Table>,
    /// Held by whoever changes which triggers there are, from the check to the store, so that no path is given away twice.
    pub(crate) turn: Mutex<()>,
    /// Schedules have changed.
    pub(crate) changed: Notify,
}

/// Another workflow listens to a path already.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) by: WorkflowName,
}

impl Active {
    /// Whether no other workflow of the organisation listens where these triggers would.
    pub(crate) fn check(
        &self,
        organisation: &OrganisationId,
        workflow: &WorkflowName,
        triggers: &Triggers,
    ) -> Result<(), Taken> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        for hook in &triggers.webhooks {
            let mut there = table.hooks.get(&(organisation.clone(), hook.path.clone())).into_iter().flatten();
            let other =
                |armed: &&Arc<Armed<Webhook>>| armed.workflow != *workflow && armed.trigger.method == hook.method;
            if let Some(armed) = there.find(other) {
                let by = armed.workflow.clone();
                return Err(Taken { method: hook.method.clone(), path: hook.path.clone(), by });
            }
        }
        Ok(())
    }

    /// Puts the triggers of a workflow in the place of those that it had.
    pub(crate) fn arm(
        &self,
        organisation: &OrganisationId,
        workflow: &WorkflowName,
        document: &str,
        triggers: &Triggers,
    ) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.remove(organisation, workflow);
        let document: Arc<str> = document.into();
        let armed = |organisation: &OrganisationId| (organisation.clone(), workflow.clone(), document.clone());
        for hook in &triggers.webhooks {
            let (organisation, workflow, document) = armed(organisation);
            let place = (organisation.clone(), hook.path.clone());
            let trigger = hook.clone();
            let armed = Arc::new(Armed { organisation, workflow, document, trigger });
            table.hooks.entry(place).or_default().push(armed);
        }
        for cron in &triggers.crons {
            let (organisation, workflow, document) = armed(organisation);
            let place = (organisation.clone(), workflow.clone());
            let armed = Arc::new(Armed { organisation, workflow, document, trigger: cron.clone() });
            table.crons.entry(place).or_default().push(armed);
        }
        for event in &triggers.events {
            let (organisation, workflow, document) = armed(organisation);
            let place = (organisation.clone(), workflow.clone());
            let armed = Arc::new(Armed { organisation, workflow, document, trigger: event.clone() });
            table.events.entry(place).or_default().push(armed);
        }
        drop(table);
        self.changed.notify_one();
    }

    /// Takes the triggers of a workflow away.
    pub(crate) fn disarm(&self, organisation: &OrganisationId, workflow: &WorkflowName) {
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(organisation, workflow);
        self.changed.notify_one();
    }

    /// The webhooks that listen to a path, one for each method.
    pub(crate) fn hooks(&self, organisation: &OrganisationId, path: &str) -> Vec<Arc<Armed<Webhook>>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.hooks.get(&(organisation.clone(), path.to_owned())).cloned().unwrap_or_default()
    }

    /// Who listens to an event of an organisation.
    pub(crate) fn listeners(&self, organisation: &OrganisationId, event: &str) -> Vec<Arc<Armed<EventTrigger>>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let all = table.events.iter().filter(|((owner, _), _)| owner == organisation).flat_map(|(_, armed)| armed);
        all.filter(|armed| armed.trigger.listens_to(event)).cloned().collect()
    }

    /// All schedules.
    pub(crate) fn crons(&self) -> Vec<Arc<Armed<Cron>>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).crons.values().flatten().cloned().collect()
    }
}

impl Table {
    fn remove(&mut self, organisation: &OrganisationId, workflow: &WorkflowName) {
        self.crons.remove(&(organisation.clone(), workflow.clone()));
        self.events.remove(&(organisation.clone(), workflow.clone()));
        self.hooks.retain(|(owner, _), armed| {
            if owner == organisation {
                armed.retain(|armed| armed.workflow != *workflow);
            }
            !armed.is_empty()
        });
    }
}
