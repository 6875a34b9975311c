//! What `windflow token` can be told.

use std::time::Duration;

use clap::{Args, Subcommand};
use windflow_server::Permission;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make an API key for somebody, and print it this once
    Create(CreateTokenArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The key goes to stdout, everything else to stderr. It never does more than its person may do at that moment. A server on this machine\n\
that uses the data folder makes it; without one this command does.\n\n\
  windflow token create --user ada@example.org --name ci --scope runs:start --scope runs:read --expires-in 30days > ci.token"
)]
pub(crate) struct CreateTokenArgs {
    /// E-mail address of the person for whom it acts
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: String,
    /// What it is for
    #[arg(long)]
    pub(crate) name: String,
    /// What it may do, for example runs:read; several times, or with commas between them
    #[arg(long, required = true, value_delimiter = ',')]
    pub(crate) scope: Vec<Permission>,
    /// After how long it ends, for example 30days [default: never]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) expires_in: Option<Duration>,
}
