//! Asking before something is done.

use std::io::{BufRead, IsTerminal, Write};

use windflow_stacks::plan::Plan;
use windflow_stacks::project::Project;
use windflow_stacks::risk;

use super::show;
use crate::exit::invalid;
use crate::render;

/// Each risk of a project is confirmed by its name, or asked about on a terminal.
///
/// # Errors
/// Where one is not.
pub(crate) fn risks(project: &Project, confirmed: &[String]) -> anyhow::Result<()> {
    let all = risk::risks(project).into_iter().map(|risk| (risk.name(), risk.to_string()));
    named(&project.name, all, confirmed)
}

/// The same of risks by their names, each with what it is.
pub(crate) fn named(
    stack: &str,
    all: impl IntoIterator<Item = (String, String)>,
    confirmed: &[String],
) -> anyhow::Result<()> {
    let open: Vec<_> = all.into_iter().filter(|(name, _)| !confirmed.contains(name)).collect();
    if open.is_empty() {
        return Ok(());
    }
    render::line(&format!("{stack} reaches beyond its containers:"));
    for (_, what) in &open {
        render::line(&format!("  ! {what}"));
    }
    if ask("Allow this?")? == Some(true) {
        return Ok(());
    }
    let names: Vec<_> = open.iter().map(|(name, _)| format!("--confirm {name}")).collect();
    Err(invalid(format!("nothing was deployed; to allow it: {}", names.join(" "))))
}

/// Shows a plan and asks whether to go on. Where nobody can be asked, it goes on.
pub(crate) fn plan(plan: &Plan, stack: &str, target: &str) -> anyhow::Result<()> {
    if !attended() {
        return Ok(());
    }
    render::line(&show::plan_text(plan));
    match ask(&format!("Deploy {stack} to {target}?"))? {
        Some(false) => Err(invalid("nothing was deployed")),
        _ => Ok(()),
    }
}

fn attended() -> bool {
    std::io::stdin().is_terminal() && console::user_attended_stderr()
}

/// What somebody answers, where there is somebody.
pub(crate) fn ask(question: &str) -> anyhow::Result<Option<bool>> {
    if !attended() {
        return Ok(None);
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
}
