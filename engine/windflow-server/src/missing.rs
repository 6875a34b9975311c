//! Secrets and credentials that a workflow names and that nobody has set: it is valid, and yet cannot do what it says.

use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::id::OrganisationId;
use windflow_core::place::Spanned;
use windflow_core::problem::Problem as DocumentProblem;
use windflow_core::workflow::Workflow;
use windflow_triggers::{Triggers, Webhook};

use crate::problem::Answer;
use crate::state::App;

/// Something that nobody has set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Lack {
    pub(crate) kind: Lacking,
    /// Its name, under which it is to be set.
    pub(crate) name: String,
    /// What that means.
    pub(crate) message: String,
}

/// What there is to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lacking {
    /// A secret, which requests to a webhook have to show.
    Secret,
    /// A credential that nodes use.
    Credential,
}

/// The secret without which nobody gets in by a webhook, where it is not set.
pub(crate) fn of_hook(app: &App, organisation: &OrganisationId, hook: &Webhook) -> Answer<Option<Lack>> {
    let Some(secret) = hook.auth.secret() else { return Ok(None) };
    let lack = || Lack {
        kind: Lacking::Secret,
        name: secret.to_owned(),
        message: format!("it asks for the secret `{secret}`, which is not set: nobody gets in"),
    };
    Ok((!app.secrets.has(organisation, secret)?).then(lack))
}

/// The credentials that a workflow is granted and that are not set.
fn credentials<'a>(
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

/// Those credentials, each as what a trigger lacks.
pub(crate) fn of_nodes(app: &App, organisation: &OrganisationId, workflow: &Workflow) -> Answer<Vec<Lack>> {
    let lack = |name: &Spanned<String>| Lack {
        kind: Lacking::Credential,
        name: name.value.clone(),
        message: told(&name.value),
    };
    Ok(credentials(app, organisation, workflow)?.into_iter().map(lack).collect())
}

fn told(credential: &str) -> String {
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
        let (Some(lack), Some(trigger)) = (of_hook(app, organisation, hook)?, workflow.triggers.get(&*hook.name))
        else {
            continue;
        };
        let message = format!("the webhook `{}` cannot be reached: {}", hook.name, lack.message);
        let problem = DocumentProblem::warning("missing_secret", &trigger.uses.place, message);
        problems.push(
            problem.remedy(format!("somebody who may manage secrets sets it: PUT /api/v1/secrets/{}", lack.name)),
        );
    }
    for name in credentials(app, organisation, workflow)? {
        let problem = DocumentProblem::warning("missing_credential", &name.place, told(&name.value));
        let remedy = format!("somebody who may manage secrets sets it: PUT /api/v1/credentials/{}", name.value);
        problems.push(problem.remedy(remedy));
    }
    Ok(problems)
}
