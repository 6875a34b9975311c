//! `windflow state …`: what workflows keep from run to run on this machine.

use std::process::ExitCode;
use std::sync::Arc;

use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::state::StateScope;
use windflow_runtime::{Keeper, KeptValue, RecordState};

use crate::cli::{Global, StateCommand};
use crate::engine::open_store;
use crate::exit::invalid;
use crate::render::{self, shorten, table::table};

/// Values that are read at once.
const PAGE: usize = 500;

pub(crate) fn run(global: &Global, command: StateCommand) -> anyhow::Result<ExitCode> {
    let state = RecordState::new(Arc::new(open_store(global)?));
    let organisation = OrganisationId::local();
    let scope = |workflow: &WorkflowName| {
        let (organisation, workflow) = (OrganisationId::local(), workflow.to_string());
        StateScope { organisation, workflow }
    };
    match command {
        StateCommand::List { workflow: None, json } => {
            keepers(&all(|after| Ok(state.keepers(&organisation, after, PAGE)?))?, json)
        }
        StateCommand::List { workflow: Some(workflow), json } => {
            let scope = scope(&workflow);
            values(&workflow, &all(|after| Ok(state.list(&scope, after, PAGE)?))?, json)
        }
        StateCommand::Show { workflow, key } => show(&workflow, &key, state.value(&scope(&workflow), &key)?),
        StateCommand::Clear { workflow, key } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let cleared = runtime.block_on(state.clear(&scope(&workflow), key.as_deref()))?;
            told_cleared(&workflow, key.as_deref(), cleared)
        }
    }
}

/// Every page of a list.
fn all<T>(page: impl Fn(Option<&str>) -> anyhow::Result<(Vec<T>, Option<String>)>) -> anyhow::Result<Vec<T>> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let (items, next) = page(after.as_deref())?;
        all.extend(items);
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Prints which workflows keep something.
pub(crate) fn keepers(keepers: &[Keeper], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        render::json(&keepers)?;
    } else if keepers.is_empty() {
        render::line("No workflow keeps anything.");
    } else {
        let mut rows = vec![["WORKFLOW", "KEYS", "TAKES"].map(String::from).to_vec()];
        rows.extend(
            keepers.iter().map(|Keeper { workflow, keys, bytes }| {
                vec![workflow.clone(), keys.to_string(), render::bytes(*bytes)]
            }),
        );
        render::result(&table(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what a workflow keeps.
pub(crate) fn values(workflow: &WorkflowName, values: &[KeptValue], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        render::json(&values)?;
    } else if values.is_empty() {
        render::line(&format!("{workflow} keeps nothing."));
    } else {
        let mut rows = vec![["KEY", "TAKES", "VALUE"].map(String::from).to_vec()];
        rows.extend(values.iter().map(|kept| {
            let shown = kept.value.as_ref().map_or("…", |value| value.get());
            vec![shorten(&kept.key, 60), render::bytes(kept.bytes), shorten(shown, 60)]
        }));
        render::result(&table(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints one value.
///
/// # Errors
/// Where there is none.
pub(crate) fn show(workflow: &WorkflowName, key: &str, value: Option<KeptValue>) -> anyhow::Result<ExitCode> {
    let Some(value) = value.and_then(|kept| kept.value) else {
        return Err(invalid(format!(
            "{workflow} keeps nothing under the key {key:?}\n  = windflow state list {workflow} tells the keys"
        )));
    };
    render::result(value.get())?;
    Ok(ExitCode::SUCCESS)
}

/// Says what was cleared.
pub(crate) fn told_cleared(workflow: &WorkflowName, key: Option<&str>, cleared: u64) -> anyhow::Result<ExitCode> {
    match (cleared, key) {
        (0, Some(key)) => {
            return Err(invalid(format!(
                "{workflow} keeps nothing under the key {key:?}\n  = windflow state list {workflow} tells the keys"
            )));
        }
        (0, None) => render::line(&format!("{workflow} keeps nothing.")),
        (1, _) => render::line(&format!("1 value of {workflow} is cleared")),
        (many, _) => render::line(&format!("{many} values of {workflow} are cleared")),
    }
    Ok(ExitCode::SUCCESS)
}
