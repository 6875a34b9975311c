//! `windflow token …`

use std::process::ExitCode;

use windflow_core::run::Timestamp;
use windflow_runtime::{Clock, SystemClock};
use windflow_server::{NewKey, UserError, add_key};

use crate::cli::{CreateTokenArgs, Global, TokenCommand};
use crate::engine::{data_dir, open_store};
use crate::exit::invalid;
use crate::{control, render};

pub(crate) fn run(global: &Global, command: &TokenCommand) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::Create(args) => create(global, args),
    }
}

fn create(global: &Global, args: &CreateTokenArgs) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let lasts = args.expires_in.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    let new = NewKey {
        email: args.user.clone(),
        name: args.name.clone(),
        scopes: args.scope.iter().copied().collect(),
        expires_at: lasts.map(|lasts| Timestamp(now.0.saturating_add(lasts))),
    };
    let data_dir = data_dir(global)?;
    let token = match control::token(&data_dir, &new)? {
        Some(token) => token,
        None => {
            let store = open_store(global)?;
            let waiting = tokio::runtime::Builder::new_current_thread().build()?;
            waiting.block_on(add_key(&store, &new, now)).map_err(|error| match error {
                UserError::Store(error) => error.into(),
                other => invalid(other.to_string()),
            })?
        }
    };
    render::line(&format!("The key {} of {} is shown this once:", new.name.trim(), new.email));
    render::result(&token)?;
    Ok(ExitCode::SUCCESS)
}
