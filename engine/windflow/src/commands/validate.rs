//! `windflow validate`

use std::process::ExitCode;

use serde_json::json;

use super::document;
use crate::cli::{Global, ValidateArgs};
use crate::{engine, exit, render};

pub(crate) fn run(global: &Global, args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let host = engine::checker(global)?;
    let mut all_valid = true;
    let mut report = Vec::new();
    for path in &args.files {
        let checked = match document::check(path, &host) {
            Ok(checked) => checked,
            // One file that cannot be read must not hide what is wrong with the others.
            Err(error) => {
                all_valid = false;
                render::error(&format!("{error:#}"));
                report.push(json!({ "file": path, "valid": false, "problems": [{ "code": "unreadable", "message": format!("{error:#}") }] }));
                continue;
            }
        };
        all_valid &= checked.is_valid();
        if args.json {
            report.push(json!({ "file": path, "valid": checked.is_valid(), "problems": checked.problems }));
        } else {
            checked.print(path);
            if checked.is_valid() {
                let nodes = checked.workflow.as_ref().map_or(0, |workflow| workflow.nodes.len());
                render::line(&format!("{} {}: {nodes} nodes", render::status("valid"), path.display()));
            }
        }
    }
    if args.json {
        render::json(&report)?;
    }
    Ok(ExitCode::from(if all_valid { 0 } else { exit::INVALID }))
}
