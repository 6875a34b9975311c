//! Commands that a server carries out, over its API: `--server`. What they print is what they print of this machine's own runs.

use std::process::ExitCode;

use crate::cli::{Cli, Command, RegistryCommand, StacksCommand, TemplatesCommand};
use crate::exit::invalid;

mod answers;
mod deploy;
mod deploying;
mod follow;
mod offers;
mod own_templates;
mod patience;
mod plugins;
mod registries;
mod reply;
mod report;
mod runs;
mod server;
mod stacks;
mod state;
mod stream;
mod targets;
mod workflows;

pub(crate) use self::reply::Refused;
use self::server::Server;
pub(crate) use self::server::ServerAddress;

/// Whether a command is one that only reads files of this machine, and does the same with and without a server.
fn reads_files_only(command: &Command) -> bool {
    matches!(
        command,
        Command::Dev(_)
            | Command::Check(_)
            | Command::Lock(_)
            | Command::Test(_)
            | Command::Stacks(StacksCommand::Validate { .. })
            | Command::Schema
            | Command::Completions { .. }
            | Command::Templates(
                TemplatesCommand::Check { .. }
                    | TemplatesCommand::New { .. }
                    | TemplatesCommand::Import { .. }
                    | TemplatesCommand::Registry(RegistryCommand::Make { .. })
            )
    )
}

/// Whether a command is meant for a server.
pub(crate) fn is_asked(cli: &Cli) -> bool {
    cli.global.server.is_some() && !reads_files_only(&cli.command)
}

/// Why a command that only servers know does nothing without one.
pub(crate) fn missing() -> anyhow::Error {
    invalid(
        "workflows are kept by servers: say which with --server URL or WINDFLOW_SERVER\n  = `windflow run FILE` runs a file without one",
    )
}

/// Why a command does nothing with a server.
fn of_this_machine() -> anyhow::Error {
    invalid(
        "this command works on a data folder of this machine, not through a server\n  = leave out --server, and WINDFLOW_SERVER",
    )
}

/// Has a server carry a command out.
///
/// # Errors
/// Where the server cannot be reached or refuses, and where a command only works on a data folder.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let address = cli.global.server.as_ref().ok_or_else(missing)?;
    let server = Server::new(address, cli.global.token_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Run(args) => runs::start(&server, args).await,
            Command::Runs(command) => runs::run(&server, command).await,
            Command::Workflows(command) => workflows::run(&server, command).await,
            Command::State(command) => state::run(&server, command).await,
            Command::Validate(args) => workflows::validate(&server, &args).await,
            Command::Plan(args) => workflows::plan(&server, &args).await,
            Command::Targets(command) => targets::run(&server, command).await,
            Command::Stacks(command) => stacks::run(&server, command).await,
            Command::Deploy(args) => deploy::run(&server, &args).await,
            Command::Deployments(command) => deploying::on_deployments(&server, command).await,
            Command::Plugins(command) => plugins::run(&server, &cli.global, command).await,
            Command::Templates(command) => offers::on_templates(&server, command).await,
            _ => Err(of_this_machine()),
        }
    })
}
