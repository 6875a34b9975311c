//! What `windflow secrets` can be told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Encrypt everything that is secret with another key, and forget the present one
    RotateKey(RotateArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The new key is written in front of the present one; everything is encrypted anew; then the present one is taken out. Where this is\n\
cut off, everything can still be read, and the same command goes on. Backups from before need the key from before: keep it with them.\n\n\
Of keys in the environment: put a new one in front of the present one, with a space between them (WINDFLOW_SECRETS_KEY=\"NEW PRESENT\"; openssl rand\n\
-hex 32 makes one), run this, and take the other one out."
)]
pub(crate) struct RotateArgs {
    /// The file with the key [default: secrets.key in the data folder]
    #[arg(long, value_name = "FILE", env = "WINDFLOW_SECRETS_KEY_FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
}
