//! What can be typed about deployments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::key_value;

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Exit status: 0 it runs as wanted, 1 it failed (what ran before runs again), 2 the document is invalid or something was not confirmed,\n\
130 interrupted. Ctrl-C undoes what was begun. A deployment that was cut off goes on when it is asked for again.\n\
On a terminal the plan is shown and asked about, unless --yes. What reaches beyond containers (privileged, the host's network or paths, the\n\
engine's socket) is asked about by name, or confirmed by --confirm NAME."
)]
pub(crate) struct DeployArgs {
    /// The Compose file, or the name of a stack that is kept
    pub(crate) file: PathBuf,
    /// Where to: the name of a target, or an address (unix:///…, tcp://…, ssh://…)
    #[arg(short, long, default_value = windflow_stacks::carry::LOCAL)]
    pub(crate) target: String,
    /// Name of the stack instead of the document's own
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Number of the version of a stack that is kept; the latest where nothing is said
    #[arg(long, value_name = "NUMBER")]
    pub(crate) version: Option<u32>,
    /// A variable, as key=value
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) variables: Vec<(String, String)>,
    /// A file of KEY=value lines with variables
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Option<PathBuf>,
    /// Switch a profile on
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Vec<String>,
    /// Only show what would change, and why
    #[arg(long)]
    pub(crate) plan: bool,
    /// Do not ask whether to go on
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Confirm a risk by its name, for example web:host_network
    #[arg(long, value_name = "RISK")]
    pub(crate) confirm: Vec<String>,
    /// How long services may take until they are up [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Print the deployment, or the plan, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentsCommand {
    /// List deployments, the newest first
    List {
        /// Only of this stack
        #[arg(long)]
        stack: Option<String>,
        /// Only to this target
        #[arg(long)]
        target: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a deployment: what changed, how it ended and why
    Show {
        /// Its id, or its beginning; `last` is the newest
        deployment: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what the containers of a deployment's stack write
    Logs {
        /// Its id, or its beginning; `last` is the newest
        deployment: String,
        /// Of these services only
        services: Vec<String>,
        /// Go on with what is written from now on
        #[arg(short, long)]
        follow: bool,
        /// The last so many lines of each container
        #[arg(long, default_value_t = 100)]
        tail: u32,
    },
}
