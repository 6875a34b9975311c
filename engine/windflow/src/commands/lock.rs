//! `windflow lock` and `windflow check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use windflow_core::ports::host::Registry;

use super::document;
use crate::cli::{CheckArgs, Global, LockArgs};
use crate::lock::Lock;
use crate::{engine, exit, render};

pub(crate) fn lock(global: &Global, args: &LockArgs) -> anyhow::Result<ExitCode> {
    let host = engine::checker(global)?;
    let mut lock = Lock::read(&args.lock_file)?.unwrap_or_default();
    let folder = args.lock_file.parent().unwrap_or(Path::new("")).to_owned();
    // Of workflows that are no longer there nothing needs to be kept.
    lock.workflows.retain(|name, _| folder.join(name).exists());
    for path in &args.files {
        take(&mut lock, &folder, path, &host)?;
    }
    lock.tidy();
    let text = lock.text()?;
    let shown = args.lock_file.display();
    if std::fs::read_to_string(&args.lock_file).is_ok_and(|old| old == text) {
        render::line(&format!("{} {shown} is up to date", render::status("unchanged")));
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::write(&args.lock_file, text).with_context(|| shown.to_string())?;
    render::line(&format!("{} {shown} pins {} workflows; check it in", render::status("locked"), lock.workflows.len()));
    Ok(ExitCode::SUCCESS)
}

/// Reads a valid workflow into a lock.
fn take(lock: &mut Lock, folder: &Path, path: &Path, registry: &dyn Registry) -> anyhow::Result<String> {
    let (text, workflow, children) = document::check(path, registry)?.into_valid(path)?;
    let name = relative(folder, path);
    lock.add(name.clone(), &text, &workflow, &children, registry);
    Ok(name)
}

/// A path as the lock file has it: from where that file lies, the same on every machine.
fn relative(folder: &Path, path: &Path) -> String {
    let whole = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    let both = (whole(folder).canonicalize(), whole(path).canonicalize());
    let name = match &both {
        (Ok(folder), Ok(path)) => path.strip_prefix(folder).unwrap_or(path),
        _ => path,
    };
    name.display().to_string().replace('\\', "/")
}

pub(crate) fn check(global: &Global, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let host = engine::checker(global)?;
    let folder = args.lock_file.parent().unwrap_or(Path::new("")).to_owned();
    let locked = Lock::read(&args.lock_file)?;
    if locked.is_none() && args.locked {
        return Err(exit::invalid(format!(
            "{} is not there: `windflow lock FILE…` makes it, and it is checked in with the workflows",
            args.lock_file.display()
        )));
    }
    let (mut now, mut all_valid, mut all_locked) = (Lock::default(), true, true);
    let mut report = Vec::new();
    for path in &args.files {
        let name = match take(&mut now, &folder, path, &host) {
            Ok(name) => name,
            Err(error) => {
                all_valid = false;
                render::error(&format!("{error:#}"));
                report.push(json!({ "file": path, "valid": false, "differences": [] }));
                continue;
            }
        };
        let found = locked.as_ref().map(|locked| locked.differences(&now, &name)).unwrap_or_default();
        for finding in &found {
            let kind = if finding.grave && args.locked { "error[locked]" } else { "note" };
            render::line(&format!("{kind}: {}", finding.text));
        }
        let same = !found.iter().any(|finding| finding.grave);
        all_locked &= same;
        if same {
            let against = if locked.is_some() { ", as it is locked" } else { "" };
            render::line(&format!("{} {}{against}", render::status("valid"), path.display()));
        }
        let texts: Vec<_> = found.iter().map(|it| json!({ "grave": it.grave, "text": it.text })).collect();
        report.push(json!({ "file": path, "valid": true, "differences": texts }));
    }
    if args.json {
        render::json(&report)?;
    }
    if all_valid && !all_locked && args.locked {
        render::line(&format!("to accept what is new: windflow lock FILE…, and check {} in", args.lock_file.display()));
    }
    Ok(ExitCode::from(match (all_valid, all_locked || !args.locked) {
        (false, _) => exit::INVALID,
        (true, false) => exit::FAILED,
        (true, true) => 0,
    }))
}
