//! What `windflow users` can be told.

use clap::{Args, Subcommand};
use windflow_core::id::OrganisationId;
use windflow_server::Role;

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Let somebody in
    Add(AddUserArgs),
    /// List everybody, of all organisations
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give somebody another password, and end their sessions
    Password(PasswordArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddUserArgs {
    /// E-mail address, to sign in with
    pub(crate) email: String,
    /// What they may do: viewer, editor, operator or admin
    #[arg(long, default_value = "admin")]
    pub(crate) role: Role,
    /// What others call them
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// Of which organisation; it is made where there is none of that name
    #[arg(long, default_value = "local")]
    pub(crate) organisation: OrganisationId,
    /// Make a password and print it, instead of reading one
    #[arg(long)]
    pub(crate) generate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// Their e-mail address
    pub(crate) email: String,
    /// Make a password and print it, instead of reading one
    #[arg(long)]
    pub(crate) generate: bool,
}
