//! `windflow completions`

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Cli;

pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    clap_complete::generate(shell, &mut Cli::command(), "windflow", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
