//! What can be typed about targets.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use windflow_stacks::target::Environment;

#[derive(Debug, Subcommand)]
pub(crate) enum TargetsCommand {
    /// List targets
    List(ListTargetsArgs),
    /// Show what is said of a target; its credentials are told to nobody
    Show {
        /// Its name
        target: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Describe a target
    Add(AddTargetArgs),
    /// Change what is said of a target; what is not named stays, its credentials, too
    Change(ChangeTargetArgs),
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
    /// Forget the login of a registry of images
    Logout {
        /// Name of the target
        target: String,
        /// Host of the registry
        registry: String,
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
    pub(crate) environment: Environment,
    /// A group that it belongs to
    #[arg(long = "group")]
    pub(crate) groups: Vec<String>,
    /// A word to find it by
    #[arg(long = "tag")]
    pub(crate) tags: Vec<String>,
    /// What it is
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    #[command(flatten)]
    pub(crate) credentials: CredentialFiles,
}

/// Which targets are listed.
#[derive(Debug, Args)]
pub(crate) struct ListTargetsArgs {
    /// Only with this in name, address or description
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only of this group
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Only with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Only those for this: development, staging or production
    #[arg(long)]
    pub(crate) environment: Option<Environment>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeTargetArgs {
    /// Its name
    pub(crate) target: String,
    /// unix:///…, tcp://host:port or ssh://user@host
    #[arg(long)]
    pub(crate) address: Option<String>,
    /// development, staging or production
    #[arg(long)]
    pub(crate) environment: Option<Environment>,
    /// A group that it belongs to, instead of those that it has
    #[arg(long = "group")]
    pub(crate) groups: Vec<String>,
    /// It belongs to no group
    #[arg(long, conflicts_with = "groups")]
    pub(crate) no_groups: bool,
    /// A word to find it by, instead of those that it has
    #[arg(long = "tag")]
    pub(crate) tags: Vec<String>,
    /// It has no such word
    #[arg(long, conflicts_with = "tags")]
    pub(crate) no_tags: bool,
    /// What it is
    #[arg(long)]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) credentials: CredentialFiles,
}

/// How a target is reached.
#[derive(Debug, Args)]
pub(crate) struct CredentialFiles {
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
