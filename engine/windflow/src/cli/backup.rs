//! What `windflow backup`, `restore` and `doctor` can be told.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "A server on this machine that uses the data folder makes it itself and goes on meanwhile; without one this command does.\n\
The key that encrypts secrets (secrets.key in the data folder) is not in a backup: keep it somewhere else.\n\n\
  windflow backup /var/backups/windflow.tar.gz\n\n\
`windflow serve --backup-dir FOLDER` makes backups by itself, one a day."
)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not be there
    pub(crate) file: PathBuf,
    /// A file with the key that encrypts secrets [default: secrets.key in the data folder]
    #[arg(long, value_name = "FILE", env = "WINDFLOW_SECRETS_KEY_FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is changed before the whole backup was unpacked and read. Runs that had not ended go on when the server starts,\n\
with the same idempotency keys: what they did after the backup is done again.\n\n\
  windflow restore windflow.tar.gz --data-dir /var/lib/windflow"
)]
pub(crate) struct RestoreArgs {
    /// The backup
    pub(crate) file: PathBuf,
    /// Put it in the place of the store that is there, which is kept under another name
    #[arg(long)]
    pub(crate) replace: bool,
    /// A file with the key that encrypts secrets [default: secrets.key in the data folder]
    #[arg(long, value_name = "FILE", env = "WINDFLOW_SECRETS_KEY_FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 everything works, perhaps with something to know; 1 something does not.")]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
