//! Secrets and credentials that a workflow names and that nobody has set: it is valid, and yet cannot do what it says.

use windflow_core::id::OrganisationId;
use windflow_core::place::Spanned;
use windflow_core::problem::Problem as DocumentProblem;
use windflow_core::workflow::Workflow;
use windflow_triggers::{Triggers, Webhook};

use crate::problem::Answer;
use crate::state::App;

/// Why nobody gets in by a webhook, where that is so.
pub(crate) fn of_hook(app: &App, organisation: &OrganisationId, hook: &Webhook) -> Answer<Option<String>> {
    let Some(secret) = hook.auth.secret() else { return Ok(None) };
    let is_set = app.secrets.has(organisation, secret)?;
    Ok((!is_set).then(|| format!("it asks for the secret `{secret}`, which is not set: nobody gets in")))
}

/// The credentials that a workflow is granted and that are not set.
pub(crate) fn credentials<'a>(
    app: &App,
    organisation: &OrganisationId,
    workflow: &'a Workflow,
) -> Answer<Vec<&'a Spanned<String>>> {
    let mut missing = Vec::new();
    for name in &workflow.permissions.credentials {
        if !app.credentials.has(organisation, &name.value)? {
            missing.push(name);
        }
    }
    Ok(missing)
}

/// What a missing credential means.
pub(crate) fn told(credential: &str) -> String {
    format!("the credential `{credential}` is not set: nodes that use it fail")
}

/// All that is to be set before a workflow can do what it says, each with its place in the text.
pub(crate) fn all(
    app: &App,
    organisation: &OrganisationId,
    workflow: &Workflow,
    triggers: &Triggers,
) -> Answer<Vec<DocumentProblem>> {
    let mut problems = Vec::new();
    for hook in &triggers.webhooks {
        let (Some(why), Some(trigger)) = (of_hook(app, organisation, hook)?, workflow.triggers.get(&*hook.name)) else {
            continue;
        };
        let message = format!("the webhook `{}` cannot be reached: {why}", hook.name);
        let secret = hook.auth.secret().unwrap_or_default();
        let problem = DocumentProblem::warning("missing_secret", &trigger.uses.place, message);
        problems.push(problem.remedy(format!("somebody who may manage secrets sets it: PUT /api/v1/secrets/{secret}")));
    }
    for name in credentials(app, organisation, workflow)? {
        let problem = DocumentProblem::warning("missing_credential", &name.place, told(&name.value));
        let remedy = format!("somebody who may manage secrets sets it: PUT /api/v1/credentials/{}", name.value);
        problems.push(problem.remedy(remedy));
    }
    Ok(problems)
}
