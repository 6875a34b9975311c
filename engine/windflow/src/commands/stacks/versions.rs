//! Stacks as they are kept: versions, compared and brought back, and copies.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use windflow_core::difference::Difference;
use windflow_core::problem::render as told;
use windflow_core::run::Timestamp;
use windflow_marketplace::difference::unified;
use windflow_stacks::book::BookError;
use windflow_stacks::compose;

use crate::commands::deploy::load;
use crate::commands::document;
use crate::deploying::{Deploying, kept, now};
use crate::exit::invalid;
use crate::render::{self, table::table};

/// Who changes something from the command line.
const BY: &str = "cli";

/// The name of a stack that is to be kept.
///
/// # Errors
/// Where nobody says it.
pub(crate) fn name_of(text: &str, given: Option<&str>) -> anyhow::Result<String> {
    let name = given.map(str::to_owned).or_else(|| compose::written_name(text));
    name.ok_or_else(|| invalid("the document says no name of the stack: say it with --name"))
}

/// What is said where a stack was kept.
pub(crate) fn is_kept(name: &str, version: u32) -> String {
    format!("{name} is kept as version {version}; `windflow deploy {name}` deploys it")
}

pub(super) fn keep(
    deploying: &Deploying,
    file: &Path,
    name: Option<&str>,
    description: Option<&str>,
) -> anyhow::Result<()> {
    let text = document::read(file)?;
    let name = name_of(&text, name)?;
    // That nobody gives a variable its value yet is no fault of the document: it is checked with samples.
    let samples = compose::declared(&text).iter().map(|variable| (variable.name.clone(), variable.sample())).collect();
    let mut problems = load(&text, file, Some(&name), &samples, &["*".to_owned()]).problems;
    problems.retain(|problem| problem.code != "unset_variable");
    if !problems.is_empty() {
        render::line(told(&file.display().to_string(), &text, &problems).trim_end());
    }
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if errors > 0 {
        return Err(invalid(document::counted(file, errors)));
    }
    let before = match deploying.book.stack(&name) {
        Ok(stack) => stack.description,
        Err(BookError::NotFound(_)) => String::new(),
        Err(error) => return Err(kept(error)),
    };
    put(deploying, &name, description.unwrap_or(&before), &text)
}

fn put(deploying: &Deploying, name: &str, description: &str, text: &str) -> anyhow::Result<()> {
    let stack = deploying.book.keep_stack(name, description, text, BY, now()).map_err(kept)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    render::line(&is_kept(name, stack.version));
    Ok(())
}

/// The text of a version, of the latest where none is named, and which one that is.
pub(super) fn text(deploying: &Deploying, stack: &str, version: Option<u32>) -> anyhow::Result<(u32, String)> {
    let version = match version {
        Some(version) => version,
        None => deploying.book.stack(stack).map_err(kept)?.version,
    };
    Ok((version, deploying.book.stack_version(stack, version).map_err(kept)?.text))
}

/// A version without its text.
#[derive(Deserialize, Serialize)]
pub(crate) struct Listed {
    version: u32,
    created_at: Timestamp,
    created_by: String,
}

pub(super) fn list(deploying: &Deploying, stack: &str, as_json: bool) -> anyhow::Result<()> {
    deploying.book.stack(stack).map_err(kept)?;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (versions, next) = deploying.book.stack_versions(stack, after, 500).map_err(kept)?;
        all.extend(versions.into_iter().map(|found| Listed {
            version: found.version,
            created_at: found.at,
            created_by: found.by,
        }));
        after = next;
        if after.is_none() {
            return print(&all, as_json);
        }
    }
}

/// Prints versions, the newest last.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print(all: &[Listed], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return render::json(&all);
    }
    let mut rows = vec![["VERSION", "KEPT", "BY"].map(String::from).to_vec()];
    rows.extend(
        all.iter().map(|one| vec![one.version.to_string(), render::time(one.created_at), one.created_by.clone()]),
    );
    render::result(&table(&rows))
}

pub(super) fn compare(
    deploying: &Deploying,
    stack: &str,
    since: Option<u32>,
    to: Option<u32>,
    as_json: bool,
) -> anyhow::Result<()> {
    let (version, new) = text(deploying, stack, to)?;
    let since = since.unwrap_or(version.saturating_sub(1));
    let old = match since {
        0 => String::new(),
        since => text(deploying, stack, Some(since))?.1,
    };
    let Difference { added, removed, changed, keys } = compose::difference(&old, &new);
    let diff = unified((&format!("version {since}"), &old), (&format!("version {version}"), &new));
    let compared = json!({
        "since": since, "version": version, "added": added, "removed": removed, "changed": changed, "keys": keys, "diff": diff,
    });
    print_compared(&compared, as_json)
}

/// Prints how two versions differ, as the API tells it.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_compared(compared: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return render::json(compared);
    }
    for (field, what) in [
        ("added", "services added"),
        ("removed", "services removed"),
        ("changed", "services changed"),
        ("keys", "beside services"),
    ] {
        let names = compared[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        let names = names.collect::<Vec<_>>().join(", ");
        if !names.is_empty() {
            render::line(&format!("{what}: {names}"));
        }
    }
    match compared["diff"].as_str().unwrap_or_default() {
        "" => render::line(&format!("versions {} and {} say the same", compared["since"], compared["version"])),
        diff => render::result(diff)?,
    }
    Ok(())
}

pub(super) fn restore(deploying: &Deploying, stack: &str, version: u32) -> anyhow::Result<()> {
    let old = deploying.book.stack(stack).map_err(kept)?;
    let (_, text) = text(deploying, stack, Some(version))?;
    put(deploying, stack, &old.description, &text)
}

pub(super) fn clone(deploying: &Deploying, stack: &str, name: &str, version: Option<u32>) -> anyhow::Result<()> {
    let old = deploying.book.stack(stack).map_err(kept)?;
    let (_, text) = text(deploying, stack, version)?;
    match deploying.book.stack(name) {
        Err(BookError::NotFound(_)) => put(deploying, name, &old.description, &text),
        Ok(_) => Err(invalid(format!("there is a stack {name} already"))),
        Err(error) => Err(kept(error)),
    }
}

pub(super) fn forget(deploying: &Deploying, stack: &str) -> anyhow::Result<()> {
    deploying.book.remove_stack(stack).map_err(kept)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    render::line(&forgotten(stack));
    Ok(())
}

/// What is said where a stack was forgotten.
pub(crate) fn forgotten(stack: &str) -> String {
    format!("{stack} is forgotten; what is deployed of it stays")
}
