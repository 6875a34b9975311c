//! `windflow completions`

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Cli;

pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    // Written at once: what generates it panics where whoever reads it has read enough.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "windflow", &mut script);
    crate::render::result(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
