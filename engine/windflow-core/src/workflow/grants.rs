//! What a run grants.

use serde_json::Value;

use super::Workflow;
use crate::capability::{Grants, HttpPattern, Origin, is_private};
use crate::expression::Template;
use crate::problem::Problem;

/// Evaluates the permissions of a workflow. What an expression gives is cut to its origin, and must be one public origin,
/// unless the operator's own grants cover it.
pub(super) fn resolve(workflow: &Workflow, inputs: &Value, allowed: &Grants) -> Result<Grants, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut grants = allowed.clone();
    for template in &workflow.permissions.http {
        match pattern(template, inputs, allowed) {
            Ok(pattern) => grants.http.push(pattern),
            Err(problem) => problems.push(problem),
        }
    }
    grants.credentials.extend(workflow.permissions.credentials.iter().map(|name| name.value.clone()));
    grants.docker.extend(workflow.permissions.docker.iter().map(|name| name.value.clone()));
    grants.email.extend(workflow.permissions.email.iter().map(|server| server.value.clone()));
    grants.events.extend(workflow.permissions.events.iter().map(|event| event.value.clone()));
    grants.state |= workflow.permissions.state;
    grants.files |= workflow.permissions.files;
    grants.clock |= workflow.permissions.clock;
    grants.random |= workflow.permissions.random;
    if problems.is_empty() { Ok(grants) } else { Err(problems) }
}

fn pattern(template: &Template, inputs: &Value, allowed: &Grants) -> Result<HttpPattern, Problem> {
    if let Some(text) = template.as_str() {
        return text.parse().map_err(|error: crate::capability::InvalidPattern| {
            Problem::error("invalid_host", &template.place, error.to_string())
        });
    }
    let value = template
        .render(inputs)
        .map_err(|error| Problem::error("invalid_expression", &error.place, error.message).remedy_if(error.remedy))?;
    let text = value.as_str().unwrap_or_default();
    // A host without a scheme is meant as one that is reached by TLS.
    let origin = Origin::from_url(text).or_else(|| Origin::from_url(&format!("https://{text}")));
    let Some(origin) = origin else {
        let message =
            format!("this permission gives {value}, which is no address: an expression gives one exact origin");
        return Err(
            Problem::error("invalid_host", &template.place, message).remedy("give a URL such as https://example.org")
        );
    };
    let private =
        origin.host == "localhost" || origin.host.ends_with(".localhost") || origin.host.parse().is_ok_and(is_private);
    if private && !allowed.covers(&origin) {
        let message = format!("this permission gives {origin}, a private address, which an expression cannot grant");
        let remedy = format!("name it in `permissions`, or allow it for this run: --allow {origin}");
        return Err(Problem::error("private_address", &template.place, message).remedy(remedy));
    }
    Ok(HttpPattern::exactly(&origin))
}
