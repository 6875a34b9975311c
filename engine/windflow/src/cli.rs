//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use windflow_core::capability::HttpPattern;
use windflow_core::ports::store::RunStatus;

use crate::remote::ServerAddress;

/// Run and look after workflows of sandboxed nodes.
#[derive(Debug, Parser)]
#[command(name = "windflow", version, arg_required_else_help = true, propagate_version = true)]
#[command(
    after_help = "Start with:\n  windflow run workflows/status-report/workflow.yaml\n\nEvery command has a --help of its own."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Under which options of every command are listed.
const EVERY: &str = "Options of every command";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Folder that holds the runs and the installed plugins [default: the user's data folder]
    #[arg(long, value_name = "FOLDER", env = "WINDFLOW_DATA_DIR", global = true, help_heading = EVERY)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Folder for the compiled code of plugins, which data folders may share [default: `compiled` in the data folder]
    #[arg(long, value_name = "FOLDER", env = "WINDFLOW_CACHE_DIR", global = true, help_heading = EVERY)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// File with the credentials that nodes may use, in TOML; docs/credentials.md says how it looks
    #[arg(long, value_name = "FILE", env = "WINDFLOW_CREDENTIALS", global = true, help_heading = EVERY)]
    pub(crate) credentials: Option<PathBuf>,
    /// Let a server carry the command out, for example https://flows.example.org; the key of who asks is in WINDFLOW_TOKEN
    #[arg(long, value_name = "URL", env = "WINDFLOW_SERVER", global = true, help_heading = EVERY)]
    pub(crate) server: Option<ServerAddress>,
    /// File with the key for --server, in place of WINDFLOW_TOKEN
    #[arg(long, value_name = "FILE", env = "WINDFLOW_TOKEN_FILE", global = true, help_heading = EVERY)]
    pub(crate) token_file: Option<PathBuf>,
    /// Say more about what goes on
    #[arg(short, long, global = true, help_heading = EVERY)]
    pub(crate) verbose: bool,
}

pub(crate) use self::backup::{BackupArgs, DoctorArgs, RestoreArgs};
pub(crate) use self::deploy::{DeployArgs, DeploymentsCommand};
pub(crate) use self::lock::{CheckArgs, LockArgs};
pub(crate) use self::plugins::{
    BuildPluginArgs, CheckPluginArgs, InstallPluginArgs, NewPluginArgs, PackPluginArgs, PluginsCommand, TestPluginArgs,
    UpdatePluginsArgs,
};
pub(crate) use self::secrets::{RotateArgs, SecretsCommand};
pub(crate) use self::serve::{LogFormat, ServeArgs};
pub(crate) use self::stacks::{OnTarget, StacksCommand};
pub(crate) use self::state::StateCommand;
pub(crate) use self::targets::{AddTargetArgs, ChangeTargetArgs, CredentialFiles, ListTargetsArgs, TargetsCommand};
pub(crate) use self::templates::{
    AboutArgs, ImportFormat, InstallArgs, PublishArgs, RegistryCommand, TemplateKind, TemplateRef, TemplatesCommand,
};
pub(crate) use self::token::{CreateTokenArgs, TokenCommand};
pub(crate) use self::traces::{Collector, Header, Share};
pub(crate) use self::users::{AddUserArgs, UsersCommand};
pub(crate) use self::workflows::{ApplyArgs, ListWorkflowsArgs, ShowWorkflowArgs, WorkflowsCommand};

mod backup;
mod deploy;
mod lock;
mod plugins;
mod secrets;
mod serve;
mod stacks;
mod state;
mod targets;
mod templates;
mod token;
mod traces;
mod users;
mod workflows;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow to its end and show it live
    Run(RunArgs),
    /// Run a workflow again whenever its file is saved, with the outputs of what is unchanged
    Dev(DevArgs),
    /// Check workflows and report every problem with its place
    Validate(ValidateArgs),
    /// Check workflows, and hold them against `windflow.lock`: what they run, and what that may touch
    Check(CheckArgs),
    /// Pin what workflows run, and what that may touch, in `windflow.lock`
    Lock(LockArgs),
    /// Run the cases of workflows, offline and in simulated time
    Test(TestArgs),
    /// Show a workflow's graph, and everything that it may reach
    Plan(PlanArgs),
    /// List, show, resume, cancel, answer, repeat and delete runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// List, show, change and switch the workflows of a server
    #[command(subcommand)]
    Workflows(WorkflowsCommand),
    /// List, show and clear what workflows keep from run to run
    #[command(subcommand)]
    State(StateCommand),
    /// Look after the folder that holds the runs
    #[command(subcommand)]
    Store(StoreCommand),
    /// Find out what plugins may touch; write, test, install, update and remove them
    #[command(subcommand, visible_alias = "plugin")]
    Plugins(PluginsCommand),
    /// Deploy a stack to a Docker engine, and roll back where it does not become healthy
    Deploy(Box<DeployArgs>),
    /// List, describe and test the places to deploy to
    #[command(subcommand)]
    Targets(TargetsCommand),
    /// Keep and compare stacks, and look after those that are deployed: status, logs, scale, roll back, stop, remove
    #[command(subcommand)]
    Stacks(StacksCommand),
    /// Find, install, update, make and publish templates of stacks and workflows
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// List and show deployments, and what their containers write
    #[command(subcommand)]
    Deployments(DeploymentsCommand),
    /// Serve the API, and run workflows by webhooks and schedules
    Serve(Box<ServeArgs>),
    /// Copy everything that is kept into one file, also while a server runs
    Backup(BackupArgs),
    /// Make a data folder out of a backup
    Restore(RestoreArgs),
    /// Look whether this machine and the data folder are fit to work with
    Doctor(DoctorArgs),
    /// Let people in, while no server runs
    #[command(subcommand)]
    Users(UsersCommand),
    /// Make API keys, also while a server runs
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look after the key that encrypts secrets, while no server runs
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Print the JSON Schema of workflow files, for editors
    Schema,
    /// Print completions for a shell
    #[command(
        after_help = "For bash:\n  windflow completions bash > ~/.local/share/bash-completion/completions/windflow"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 the run succeeded, 1 it failed, 2 the workflow or an input is invalid, 3 it waits for an\n\
answer (`windflow runs approve` and `answer` go on with it), 130 interrupted.\n\
The outputs go to stdout: as text to a terminal, as one JSON object to a file or pipe. Everything else goes to stderr.\n\
Ctrl-C cancels the run and waits for its nodes; a second one leaves at once, and `windflow runs resume` goes on."
)]
pub(crate) struct RunArgs {
    /// The workflow file; with --server the name of a workflow that it keeps
    pub(crate) file: PathBuf,
    /// An input, as key=value; text that is JSON is taken as such where the input is no string
    #[arg(short, long = "input", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) inputs: Vec<(String, String)>,
    /// A JSON object with inputs; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) input_file: Option<PathBuf>,
    /// Print one JSON object with the run, its outputs and its nodes instead of the outputs
    #[arg(long)]
    pub(crate) json: bool,
    /// Grant requests to a host beyond what the workflow's permissions say, for example 127.0.0.1:8080
    #[arg(long, value_name = "HOST")]
    pub(crate) allow: Vec<HttpPattern>,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Problems are shown at each save, with their places. What is unchanged, and all that it needs, is taken over from the last run;\n\
Enter runs everything again. Nothing is kept. A pinned node is not run: it puts out what it is told to.\n\n\
  windflow dev flow.yaml -i city=Lyon --pin fetch=@sample.json"
)]
pub(crate) struct DevArgs {
    /// The workflow file
    pub(crate) file: PathBuf,
    /// An input, as key=value; text that is JSON is taken as such where the input is no string
    #[arg(short, long = "input", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) inputs: Vec<(String, String)>,
    /// A JSON object with inputs, which is watched as well
    #[arg(long, value_name = "FILE")]
    pub(crate) input_file: Option<PathBuf>,
    /// What a node puts out instead of being run, as node=JSON or node=@FILE
    #[arg(long = "pin", value_name = "NODE=JSON", value_parser = key_value)]
    pub(crate) pins: Vec<(String, String)>,
    /// Grant requests to a host beyond what the workflow's permissions say, for example 127.0.0.1:8080
    #[arg(long, value_name = "HOST")]
    pub(crate) allow: Vec<HttpPattern>,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The workflow files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print the problems as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Cases are YAML files in the folder `cases` beside the workflow; docs/testing.md says what they hold.\n\
Mocked nodes do what the case says; all others run for real, as far as that needs no network. Waits take no time.\n\
`windflow runs export RUN` writes a case out of a run."
)]
pub(crate) struct TestArgs {
    /// Workflow files, or folders with a workflow.yaml
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only cases whose path contains this
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// Write a report in JUnit's format
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The workflow file
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, the newest first
    List(ListArgs),
    /// Show a run and its nodes
    Show(RunArg),
    /// Print the events of a run's journal
    Events(RunArg),
    /// Go on with a run that was interrupted, and show it live
    Resume(ResumeArgs),
    /// Cancel a run
    Cancel(RunArg),
    /// Repeat a run that has ended, and take over the results of what is sound to take over
    Rerun(RerunArgs),
    /// Print a run as a case for `windflow test`: its inputs, what its nodes did, and how it ended
    Export(ExportArgs),
    /// Compare how the nodes of two runs ended; status 1 where they differ
    Diff(DiffArgs),
    /// Report back to a run that waits in a `callback` node, and go on with it
    Answer(AnswerArgs),
    /// Approve what a run asks in an `approval` node, and go on with it
    Approve(DecideArgs),
    /// Reject what a run asks in an `approval` node, and go on with it
    Reject(DecideArgs),
    /// Forget runs that have ended, with all that only they hold
    Delete {
        /// Ids of the runs, or their beginnings; `last` is the newest that no other run started
        #[arg(required = true)]
        runs: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Credentials are never part of a case. Inputs whose schema says `format: password` or `writeOnly: true` are replaced,\n\
wherever they came out; the description of the case names them."
)]
pub(crate) struct ExportArgs {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    pub(crate) run: String,
    /// As a case for `windflow test`, which is the only form there is so far
    #[arg(long)]
    pub(crate) case: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --from what did not succeed runs again, and all that follows it; of a run that succeeded everything does.\n\
A node that is not as it was in the workflow file runs again, too. Effects are made again with new idempotency keys."
)]
pub(crate) struct RerunArgs {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    pub(crate) run: String,
    /// Run this node again whatever it did, and all that follows it; may be given several times
    #[arg(long, value_name = "NODE")]
    pub(crate) from: Vec<windflow_core::id::NodeId>,
    /// Take the workflow as it is in this file now
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
    /// Take the latest version of the workflow; with --server
    #[arg(long, requires = "server", conflicts_with = "with")]
    pub(crate) latest: bool,
    /// Only say what would be taken over and what would run again
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Grant requests to a host beyond what the workflow's permissions say
    #[arg(long, value_name = "HOST")]
    pub(crate) allow: Vec<HttpPattern>,
    /// Print one JSON object with the run, its outputs and its nodes
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The one run
    pub(crate) a: String,
    /// The other run
    pub(crate) b: String,
}

#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    pub(crate) run: String,
    /// The node that waits, where several do
    pub(crate) node: Option<windflow_core::id::NodeId>,
    /// The item, where the node runs for each of several
    #[arg(long)]
    pub(crate) item: Option<u32>,
    /// What is reported, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// A file with what is reported; - reads it from stdin
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) data_file: Option<PathBuf>,
    /// Print one JSON object with the run, its outputs and its nodes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    pub(crate) run: String,
    /// The node that asks, where several do
    pub(crate) node: Option<windflow_core::id::NodeId>,
    /// The item, where the node runs for each of several
    #[arg(long)]
    pub(crate) item: Option<u32>,
    /// Why
    #[arg(long)]
    pub(crate) comment: Option<String>,
    /// What the form asks for, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// Who decides [default: the user]
    #[arg(long)]
    pub(crate) by: Option<String>,
    /// Print one JSON object with the run, its outputs and its nodes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Show what is in it, and what room it takes
    Stats {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read everything and report what is damaged
    #[command(after_help = "Exit status: 0 everything fits, 1 something is damaged.")]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give back the room of what was deleted; needs room for a copy meanwhile
    Compact,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only runs of this workflow
    #[arg(long)]
    pub(crate) workflow: Option<windflow_core::id::WorkflowName>,
    /// Only runs in this status
    #[arg(long, value_enum)]
    pub(crate) status: Option<StatusArg>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Go on after this run; with --server after what the page before named
    #[arg(long, value_name = "RUN")]
    pub(crate) after: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum StatusArg {
    Running,
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
}

impl From<StatusArg> for RunStatus {
    fn from(status: StatusArg) -> Self {
        match status {
            StatusArg::Running => Self::Running,
            StatusArg::Cancelling => Self::Cancelling,
            StatusArg::Succeeded => Self::Succeeded,
            StatusArg::Failed => Self::Failed,
            StatusArg::Cancelled => Self::Cancelled,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    pub(crate) run: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Id of the run, or its beginning; `last` is the newest that no other run started
    #[arg(required_unless_present = "all")]
    pub(crate) run: Option<String>,
    /// Go on with every run that has not ended
    #[arg(long, conflicts_with = "run")]
    pub(crate) all: bool,
    /// Print one JSON object with the run, its outputs and its nodes
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as key=value".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
