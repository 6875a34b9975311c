//! The `windflow` command: configuration and wiring. The only crate that names concrete adapters.
#![deny(unsafe_code)]

use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, LogFormat};

mod backup;
mod builtins;
mod cli;
mod commands;
mod control;
mod credentials;
mod deploying;
mod engine;
mod exit;
mod installed;
mod lock;
mod remote;
mod render;
mod signal;
mod starter;

/// Runs allocate on one thread what another frees, which glibc's allocator answers with locks and memory that it keeps: a sixth fewer
/// requests, and a quarter more memory after a load (docs/benchmarks.md).
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = typed();
    if let Err(error) = start_tracing(&cli) {
        return exit::report(&error);
    }
    if remote::is_asked(&cli) {
        return remote::run(cli).unwrap_or_else(|error| exit::report(&error));
    }
    let result = match cli.command {
        Command::Run(args) => commands::run::run(&cli.global, args),
        Command::Dev(args) => commands::dev::run(&cli.global, args),
        Command::Validate(args) => commands::validate::run(&cli.global, &args),
        Command::Check(args) => commands::lock::check(&cli.global, &args),
        Command::Lock(args) => commands::lock::lock(&cli.global, &args),
        Command::Test(args) => commands::test::run(&cli.global, &args),
        Command::Plan(args) => commands::plan::run(&cli.global, &args),
        Command::Runs(command) => commands::runs::run(&cli.global, command),
        Command::Workflows(_) => Err(remote::missing()),
        Command::State(command) => commands::state::run(&cli.global, command),
        Command::Store(command) => commands::store::run(&cli.global, &command),
        Command::Plugins(command) => commands::plugins::run(&cli.global, &command),
        Command::Deploy(args) => commands::deploy::run(&cli.global, &args),
        Command::Targets(command) => commands::targets::run(&cli.global, &command),
        Command::Stacks(command) => commands::stacks::run(&cli.global, &command),
        Command::Templates(command) => commands::templates::run(&cli.global, &command),
        Command::Deployments(command) => commands::deployments::run(&cli.global, &command),
        Command::Serve(args) => commands::serve::run(&cli.global, &args),
        Command::Backup(args) => commands::backup::run(&cli.global, &args),
        Command::Restore(args) => commands::backup::restore(&cli.global, &args),
        Command::Doctor(args) => commands::doctor::run(&cli.global, &args),
        Command::Users(command) => commands::users::run(&cli.global, &command),
        Command::Token(command) => commands::token::run(&cli.global, &command),
        Command::Secrets(command) => commands::secrets::run(&cli.global, &command),
        Command::Schema => commands::schema::run(&cli.global),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    result.unwrap_or_else(|error| exit::report(&error))
}

/// What was typed, and what stands in the environment. A variable that is empty is none: that is what files of settings leave of
/// a value that nobody gave.
fn typed() -> Cli {
    let mut command = without_empty_variables(Cli::command());
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    parsed.unwrap_or_else(|error| error.format(&mut command).exit())
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if empty { arg.env(Resettable::Reset) } else { arg }
    });
    command.mut_subcommands(without_empty_variables)
}

/// Logs go to stderr, warnings only (of a server more) unless `WINDFLOW_LOG` says otherwise.
fn start_tracing(cli: &Cli) -> anyhow::Result<()> {
    let default = if cli.global.verbose { "info" } else { "warn" };
    // A server has nobody who watches: its log says what goes on, and when.
    let served = match &cli.command {
        Command::Serve(args) => Some(args.log_format),
        _ => None,
    };
    let default = if served.is_some() { "info" } else { default };
    let asked = std::env::var("WINDFLOW_LOG").ok().filter(|asked| !asked.trim().is_empty());
    let filter = EnvFilter::try_new(asked.as_deref().unwrap_or(default)).map_err(|error| {
        exit::invalid(format!(
            "WINDFLOW_LOG: {error}\n  = write a level (error, warn, info, debug, trace), or levels of parts, as in info,windflow_server=debug"
        ))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match served {
        None => log.without_time().with_ansi(console::colors_enabled_stderr()).init(),
        Some(LogFormat::Text) => log.with_ansi(console::colors_enabled_stderr()).init(),
        Some(LogFormat::Json) => log.json().flatten_event(true).init(),
    }
    Ok(())
}
