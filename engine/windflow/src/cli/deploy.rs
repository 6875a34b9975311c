//! What can be typed about targets, stacks and deployments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::key_value;

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

fn replicas(text: &str) -> Result<(String, u32), String> {
    let (service, count) = key_value(text)?;
    count.parse().map(|count| (service, count)).map_err(|_| "write it as service=number".to_owned())
}

#[derive(Debug, Args)]
#[command(
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
pub(crate) enum TargetsCommand {
    /// List targets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Describe a target
    Add(AddTargetArgs),
    /// Reach a target and show what it is like
    Test {
        /// Its name or address
        target: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Describe many targets from a file of comma-separated lines
    #[command(
        after_help = "The first line names the columns: name,address and, where wanted, environment,groups,tags,description.\n\
Several groups or tags are separated by `;`. Each line is taken or refused for itself."
    )]
    Import {
        /// The file; - is stdin
        file: PathBuf,
    },
    /// Keep the login of a registry of images; the password is read from the terminal or stdin
    Login {
        /// Name of the target
        target: String,
        /// Host of the registry, such as registry.example.org:5000
        registry: String,
        /// Whose login
        #[arg(short, long)]
        username: String,
    },
    /// Forget a target
    Remove {
        /// Its name
        target: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddTargetArgs {
    /// Its name
    pub(crate) name: String,
    /// unix:///…, tcp://host:port or ssh://user@host
    pub(crate) address: String,
    /// development, staging or production
    #[arg(long, default_value = "development")]
    pub(crate) environment: windflow_stacks::target::Environment,
    /// A group that it belongs to
    #[arg(long = "group")]
    pub(crate) groups: Vec<String>,
    /// A word to find it by
    #[arg(long = "tag")]
    pub(crate) tags: Vec<String>,
    /// What it is
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    /// Certificate of whoever signed the engine's, for TLS
    #[arg(long, value_name = "FILE", requires = "cert", requires = "key")]
    pub(crate) ca: Option<PathBuf>,
    /// Our certificate
    #[arg(long, value_name = "FILE", requires = "ca")]
    pub(crate) cert: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", requires = "ca")]
    pub(crate) key: Option<PathBuf>,
    /// Private key for SSH without a passphrase, which is kept encrypted; none: those of this account
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_key: Option<PathBuf>,
    /// The keys that the SSH server may have, as `ssh-keyscan` prints them; none: those of this account's known_hosts
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_host_keys: Option<PathBuf>,
}

/// A stack on a target.
#[derive(Debug, Args)]
pub(crate) struct OnTarget {
    /// Name of the stack
    pub(crate) stack: String,
    /// Where: the name of a target, or an address
    #[arg(short, long, default_value = windflow_stacks::carry::LOCAL)]
    pub(crate) target: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StacksCommand {
    /// List stacks, and where they are deployed
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the text of a stack
    #[command(disable_version_flag = true)]
    Show {
        /// Name of the stack
        stack: String,
        /// Number of the version; the latest where nothing is said
        #[arg(long)]
        version: Option<u32>,
    },
    /// Show the containers of a stack
    Status {
        #[command(flatten)]
        on: OnTarget,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what the containers of a stack write
    Logs {
        #[command(flatten)]
        on: OnTarget,
        /// Of these services only
        services: Vec<String>,
        /// Go on with what is written from now on
        #[arg(short, long)]
        follow: bool,
        /// The last so many lines of each container
        #[arg(long, default_value_t = 100)]
        tail: u32,
    },
    /// Check a Compose file and report every problem with its place
    Validate {
        /// The Compose file
        file: PathBuf,
        /// A variable, as key=value
        #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value)]
        variables: Vec<(String, String)>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Another number of containers for services
    Scale {
        #[command(flatten)]
        on: OnTarget,
        /// service=number
        #[arg(required = true, value_parser = replicas)]
        services: Vec<(String, u32)>,
    },
    /// Go back to the deployment before
    Rollback {
        #[command(flatten)]
        on: OnTarget,
        /// To this deployment instead
        #[arg(long, value_name = "DEPLOYMENT")]
        to: Option<String>,
    },
    /// Stop the containers of a stack; they stay
    Stop {
        #[command(flatten)]
        on: OnTarget,
        /// Of these services only
        services: Vec<String>,
    },
    /// Start containers that were stopped
    Start {
        #[command(flatten)]
        on: OnTarget,
        /// Of these services only
        services: Vec<String>,
    },
    /// Stop and start containers
    Restart {
        #[command(flatten)]
        on: OnTarget,
        /// Of these services only
        services: Vec<String>,
    },
    /// Take the containers and networks of a stack away; its volumes stay
    Remove {
        #[command(flatten)]
        on: OnTarget,
        /// The volumes, too, and what is in them
        #[arg(long)]
        volumes: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
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
}
