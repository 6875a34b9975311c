//! Plans and deployments for people.

use std::fmt::Write as _;
use std::process::ExitCode;

use console::style;
use serde_json::Value;
use windflow_stacks::deployment::Deployment;
use windflow_stacks::plan::{Change, Plan};

use crate::render;

/// A plan as lines: a sign, what, and why.
pub(crate) fn plan_text(plan: &Plan) -> String {
    let mut text = String::new();
    for step in plan.steps.iter().filter(|step| step.change != Change::Unchanged) {
        let sign = match step.change {
            Change::Created => style("+").green(),
            Change::Changed => style("~").yellow(),
            Change::Started => style("▶").cyan(),
            Change::Removed => style("-").red(),
            Change::Unchanged => style(" "),
        };
        let _ = writeln!(
            text,
            "{} {} {}  {}",
            sign.for_stderr(),
            step.kind,
            step.name,
            style(&step.why).dim().for_stderr()
        );
    }
    for obstacle in &plan.obstacles {
        let _ = writeln!(text, "! {obstacle}");
    }
    let _ = write!(text, "{}", plan.summary());
    text
}

/// Prints a plan.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn plan(plan: &Plan, as_json: bool) -> anyhow::Result<()> {
    if as_json { render::json(plan) } else { render::result(&plan_text(plan)) }
}

/// A deployment without what only the engine needs of it.
pub(crate) fn view(deployment: &Deployment) -> Value {
    let mut value = serde_json::to_value(deployment).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.remove("sealed");
        map.remove("digest");
    }
    value
}

/// Prints how a deployment ended.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn ended(deployment: &Deployment, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        render::json(&view(deployment))?;
        return Ok(super::status(deployment));
    }
    let Deployment { stack, target, id, .. } = deployment;
    let sign = if deployment.status.is_good() { style("✓").green() } else { style("✗").red() };
    let word = match deployment.status.word() {
        "deployed" => format!("{stack} is deployed to {target}"),
        "unchanged" => format!("{stack} is on {target} as wanted; nothing changed"),
        "rolled_back" => format!("{stack} was rolled back: what ran before on {target} runs again"),
        "running" => format!("{stack} is being deployed to {target}, or that was cut off"),
        "abandoned" => format!("{stack} was being deployed to {target}, until another deployment took over"),
        _ => format!("{stack} could not be deployed to {target}"),
    };
    render::result(&format!("{} {word}  {}", sign, style(id).dim()))?;
    let outcome = deployment.outcome.as_ref();
    if let Some(error) = deployment.error.as_ref().or_else(|| outcome?.error.as_ref()) {
        render::error(&crate::deploying::told(error).to_string());
    }
    for line in outcome.map(|outcome| &outcome.log).into_iter().flatten() {
        render::line(&format!("  | {}", console::strip_ansi_codes(line)));
    }
    for left in outcome.map(|outcome| &outcome.left).into_iter().flatten() {
        render::line(&format!("left on the target: {left}"));
    }
    Ok(super::status(deployment))
}
