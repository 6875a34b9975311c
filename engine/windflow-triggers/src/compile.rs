//! The triggers of a document, given their meaning.

use std::sync::Arc;

use windflow_core::problem::Problem;
use windflow_core::workflow::Workflow;

use crate::cron::Cron;
use crate::event::EventTrigger;
use crate::fields::Fields;
use crate::webhook::Webhook;

/// What starts runs of one workflow.
#[derive(Debug, Clone, Default)]
pub struct Triggers {
    /// Its schedules.
    pub crons: Vec<Arc<Cron>>,
    /// Its webhooks.
    pub webhooks: Vec<Arc<Webhook>>,
    /// The events that it listens to.
    pub events: Vec<Arc<EventTrigger>>,
}

/// Reads the triggers of a workflow that was parsed, and finds every problem at once.
#[must_use]
pub fn compile(workflow: &Workflow) -> (Triggers, Vec<Problem>) {
    let (mut triggers, mut problems) = (Triggers::default(), Vec::new());
    for (name, trigger) in &workflow.triggers {
        let compiled = (|| {
            if trigger.uses.as_str() == "event" {
                triggers.events.push(Arc::new(EventTrigger::read(name, trigger)?));
                return Ok(());
            }
            let fields = Fields::of(trigger)?;
            match trigger.uses.as_str() {
                "cron" => triggers.crons.push(Arc::new(Cron::read(name, &fields, trigger.inputs.clone())?)),
                "webhook" => triggers.webhooks.push(Arc::new(Webhook::read(name, &fields, trigger.inputs.clone())?)),
                // A person starts it; there is nothing to watch.
                _ => {}
            }
            Ok(())
        })();
        problems.extend(compiled.err());
    }
    for (at, webhook) in triggers.webhooks.iter().enumerate() {
        let same = |other: &&Arc<Webhook>| other.path == webhook.path && other.method == webhook.method;
        if triggers.webhooks[..at].iter().any(|other| same(&other)) {
            let place = workflow.triggers.get(&*webhook.name).map(|trigger| trigger.place.clone()).unwrap_or_default();
            let message = format!("two webhooks of this workflow listen to {} {}", webhook.method, webhook.path);
            problems.push(Problem::error("webhook_path_taken", &place, message).remedy("give one another `path:`"));
        }
    }
    (triggers, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(triggers: &str, expect: &[&str]) {
        let text = format!("windflow: 1\nname: a\ntriggers:\n{triggers}nodes: {{ n: {{ uses: log@1 }} }}\n");
        let (workflow, problems) = Workflow::parse(&text);
        let mut codes: Vec<String> = problems.iter().map(|problem| problem.code.to_owned()).collect();
        codes.extend(
            compile(&workflow.unwrap()).1.iter().map(|problem| format!("{}:{}", problem.code, problem.place.line)),
        );
        assert_eq!(codes, expect, "{text}");
    }

    #[test]
    fn triggers_are_read_or_told() {
        check("  a: { uses: cron, with: { schedule: \"*/5 * * * *\", timezone: Europe/Paris } }\n", &[]);
        check("  a: { uses: cron, with: { schedule: \"61 * * * *\" } }\n", &["invalid_schedule:4"]);
        check("  a: { uses: cron, with: { schedule: \"* * * * *\", timezone: Paris } }\n", &["unknown_timezone:4"]);
        check("  a: { uses: webhook, with: { path: in/coming, auth: none } }\n", &[]);
        check("  a: { uses: webhook, with: { path: \"a b\", auth: none } }\n", &["invalid_path:4"]);
        check("  a: { uses: webhook, with: { path: a, auth: open } }\n", &["invalid_auth:4"]);
        check("  a: { uses: webhook, with: { path: a, auth: { bearer: token, basic: x } } }\n", &["invalid_auth:4"]);
        check("  a: { uses: webhook, with: { path: \"${{ trigger.x }}\", auth: none } }\n", &["trigger_expression:4"]);
        let twice = "  a: { uses: webhook, with: { path: x, auth: none } }\n  b: { uses: webhook, with: { path: x, auth: none } }\n";
        check(twice, &["webhook_path_taken:5"]);
        check("  a: { uses: event, with: { name: x } }\n  b: { uses: manual }\n", &[]);
    }
}
