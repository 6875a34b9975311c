//! What can be typed about locking.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "The lock file is checked in beside the workflows. It pins the component behind each node type by its digest, what \
that may touch, and\nwhat each workflow grants. `windflow check FILE… --locked` fails a build where any of it is not as it was.\n\n\
Example:\n  windflow lock workflows/*/workflow.yaml"
)]
pub(crate) struct LockArgs {
    /// The workflow files; others that are in the lock file already stay there
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "windflow.lock")]
    pub(crate) lock_file: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 all is well, 1 with --locked: something is not as it is locked, 2 a workflow is invalid.\n\n\
Example, for CI:\n  windflow check workflows/*/workflow.yaml --locked"
)]
pub(crate) struct CheckArgs {
    /// The workflow files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Fail where a component is not the locked one, or more may be touched than was agreed to
    #[arg(long)]
    pub(crate) locked: bool,
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "windflow.lock")]
    pub(crate) lock_file: PathBuf,
    /// Print what differs as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
