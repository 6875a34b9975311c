//! What `windflow state` can be told.

use clap::Subcommand;
use windflow_core::id::WorkflowName;

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the workflows that keep something, or the keys of one
    List {
        /// Name of the workflow
        workflow: Option<WorkflowName>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a value, as JSON
    Show {
        /// Name of the workflow
        workflow: WorkflowName,
        /// The key
        key: String,
    },
    /// Clear a value, or everything that a workflow keeps
    #[command(
        after_help = "What is cleared is gone for good: a workflow that passes on only what is new passes on everything again.\n\
Runs under way are not stopped, and may keep something anew."
    )]
    Clear {
        /// Name of the workflow
        workflow: WorkflowName,
        /// The key; everything where it is left out
        key: Option<String>,
    },
}
