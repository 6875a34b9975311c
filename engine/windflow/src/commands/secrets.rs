//! `windflow secrets …`

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use windflow_runtime::{Clock, SystemClock};
use windflow_server::{Keys, is_known_key, seal_anew};

use crate::cli::{Global, RotateArgs, SecretsCommand};
use crate::commands::serve::secrets_key::{self, Place, VARIABLE};
use crate::engine::{data_dir, open_store};
use crate::exit::{self, invalid};
use crate::render;

pub(crate) fn run(global: &Global, command: &SecretsCommand) -> anyhow::Result<ExitCode> {
    match command {
        SecretsCommand::RotateKey(args) => rotate(global, args),
    }
}

/// At each moment what is kept opens with the keys that are written down: the new key is, before anything is encrypted with it, and the former ones
/// are, until nothing is left that one of them encrypted.
fn rotate(global: &Global, args: &RotateArgs) -> anyhow::Result<ExitCode> {
    let data_dir = data_dir(global)?;
    if !data_dir.join("store").exists() {
        return Err(invalid(format!("{} holds no store; name its folder with --data-dir", data_dir.display())));
    }
    // Whoever holds the store is alone: no server goes on with the key that it has read.
    let store = Arc::new(open_store(global)?);
    let none = || invalid(format!("there is no key in {} yet, and so nothing is encrypted", data_dir.display()));
    let (keys, place) = match secrets_key::find(&data_dir, args.secrets_key_file.as_deref())? {
        Some(found) => found,
        None if is_known_key(&*store, None)? => return Err(none()),
        // It is lost: what it encrypted is told below.
        None => (secrets_key::make(&data_dir)?, Place::File(data_dir.join("secrets.key"))),
    };
    let keys = match &place {
        _ if !keys.former().is_empty() => {
            render::line("Going on with the key that is there already.");
            keys
        }
        Place::File(path) => {
            let keys = Keys::new(secrets_key::generate()?, vec![*keys.current()]);
            secrets_key::replace(path, &keys).with_context(|| format!("the key of secrets, {}", path.display()))?;
            keys
        }
        Place::Environment => {
            return Err(invalid(format!(
                "{VARIABLE} holds the key: put a new one in front of it, with a space between them, and run this again"
            )));
        }
    };
    let waiting = tokio::runtime::Builder::new_current_thread().build()?;
    let done = waiting.block_on(seal_anew(store, &keys, SystemClock.now()))?;
    match &place {
        Place::File(path) => {
            let present = Keys::from(*keys.current());
            secrets_key::replace(path, &present).with_context(|| format!("the key of secrets, {}", path.display()))?;
            render::line(&format!(
                "{} values have another key, the one in {}. Keep a copy of it somewhere else; backups from before need the one from before.",
                done.sealed,
                path.display()
            ));
        }
        Place::Environment => render::line(&format!(
            "{} values have the first key of {VARIABLE} now: take the others out before the next start.",
            done.sealed
        )),
    }
    for lost in &done.lost {
        render::error(&format!("{lost} opens with none of the keys, and did not before: set it anew"));
    }
    Ok(if done.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}
