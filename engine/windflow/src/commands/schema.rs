//! `windflow schema`

use std::process::ExitCode;

use crate::cli::Global;
use crate::{engine, render};

pub(crate) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let host = engine::checker(global)?;
    render::json(&windflow_core::workflow::document_schema(&host))?;
    Ok(ExitCode::SUCCESS)
}
