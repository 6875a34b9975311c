//! What `windflow workflows` can be told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use windflow_core::id::WorkflowName;

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowsCommand {
    /// List them
    List(ListWorkflowsArgs),
    /// Print the text of one
    Show(ShowWorkflowArgs),
    /// Put files there: what is new is created, what is different gets a new version
    Apply(ApplyArgs),
    /// Switch triggers on
    Enable {
        /// Names of workflows
        #[arg(required = true)]
        names: Vec<WorkflowName>,
    },
    /// Switch triggers off; runs under way go on
    Disable {
        /// Names of workflows
        #[arg(required = true)]
        names: Vec<WorkflowName>,
    },
    /// Delete them; their runs and versions stay
    Delete {
        /// Names of workflows
        #[arg(required = true)]
        names: Vec<WorkflowName>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListWorkflowsArgs {
    /// Only those with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Only those in this folder, and in the folders within it
    #[arg(long)]
    pub(crate) folder: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowWorkflowArgs {
    /// Its name, for an older version with its number: `NAME@2`
    #[arg(value_parser = versioned)]
    pub(crate) name: (WorkflowName, Option<u32>),
}

fn versioned(text: &str) -> Result<(WorkflowName, Option<u32>), String> {
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    let version = version.map(str::parse).transpose().map_err(|_| "the version is a number, as in `NAME@2`")?;
    Ok((name.parse().map_err(|error| format!("{error}"))?, version))
}

#[derive(Debug, Args)]
#[command(
    after_help = "The server checks every file before the first is kept: where one has errors nothing is changed. A file that is as it\n\
was makes no version. What somebody else changed meanwhile is not overwritten.\n\n\
  windflow --server https://flows.example.org workflows apply flows/*.yaml --enable"
)]
pub(crate) struct ApplyArgs {
    /// Workflow files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Switch their triggers on as well
    #[arg(long)]
    pub(crate) enable: bool,
    /// Only check, and say what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}
