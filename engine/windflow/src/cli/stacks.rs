//! What can be typed about stacks.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::key_value;

fn replicas(text: &str) -> Result<(String, u32), String> {
    let (service, count) = key_value(text)?;
    count.parse().map(|count| (service, count)).map_err(|_| "write it as service=number".to_owned())
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
    /// List the stacks that are kept; `deployments list` says what is deployed where
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a Compose file as a stack, or as the next version of one; deploys nothing
    Keep {
        /// The Compose file
        file: PathBuf,
        /// Name of the stack instead of the document's own
        #[arg(long)]
        name: Option<String>,
        /// What it is; as it was where nothing is said
        #[arg(long)]
        description: Option<String>,
    },
    /// List the versions of a stack
    Versions {
        /// Name of the stack
        stack: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what differs between two versions of a stack
    Compare {
        /// Name of the stack
        stack: String,
        /// Number of the older version; the one before the newer where nothing is said
        #[arg(long, value_name = "NUMBER")]
        since: Option<u32>,
        /// Number of the newer version; the latest where nothing is said
        #[arg(long, value_name = "NUMBER")]
        to: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the text of an old version of a stack its next version
    #[command(disable_version_flag = true)]
    Restore {
        /// Name of the stack
        stack: String,
        /// Number of the version
        #[arg(long, value_name = "NUMBER")]
        version: u32,
    },
    /// Copy a stack under another name
    #[command(disable_version_flag = true)]
    Clone {
        /// Name of the stack
        stack: String,
        /// Name of the copy
        name: String,
        /// Number of the version; the latest where nothing is said
        #[arg(long, value_name = "NUMBER")]
        version: Option<u32>,
    },
    /// Forget a stack; its versions and what is deployed stay
    Forget {
        /// Name of the stack
        stack: String,
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
    /// Check a Compose file: every problem with its place, or the services that it comes to
    Validate {
        /// The Compose file
        file: PathBuf,
        /// A variable, as key=value
        #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value)]
        variables: Vec<(String, String)>,
        /// Switch a profile on
        #[arg(long, value_name = "PROFILE")]
        profile: Vec<String>,
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
