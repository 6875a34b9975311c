//! `windflow schema`

use std::process::ExitCode;

use crate::{engine, render};

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let host = engine::host(None)?;
    render::json(&windflow_core::workflow::document_schema(&host))?;
    Ok(ExitCode::SUCCESS)
}
