//! `windflow users …`

use std::io::BufRead;
use std::process::ExitCode;

use serde_json::json;
use windflow_core::ports::records::Records;
use windflow_core::ports::store::Position;
use windflow_core::run::Timestamp;
use windflow_runtime::{Clock, SystemClock};
use windflow_server::{NewUser, UserError, add_user, generate_password, list_users, set_password};
use windflow_store::{Options, SledStore};

use crate::cli::{AddUserArgs, Global, UsersCommand};
use crate::engine::data_dir;
use crate::exit::invalid;
use crate::render::{self, table::table};

pub(crate) fn run(global: &Global, command: &UsersCommand) -> anyhow::Result<ExitCode> {
    // A password is asked for before the store is held.
    match command {
        UsersCommand::Add(args) => {
            let (password, generated) = password(args.generate)?;
            let store = open(global)?;
            let position = add(&store, args, &password)?;
            durable(&store, position)?;
            render::line(&format!("{} can sign in, as {} of {}.", args.email, args.role.word(), args.organisation));
            tell(&password, generated)?;
        }
        UsersCommand::List { json } => list(&open(global)?, *json)?,
        UsersCommand::Password(args) => {
            let (password, generated) = password(args.generate)?;
            let store = open(global)?;
            let position = set_password(&store, &args.email, &password).map_err(refused)?;
            durable(&store, position)?;
            render::line(&format!("{} has another password, and has to sign in again.", args.email));
            tell(&password, generated)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(global: &Global) -> anyhow::Result<SledStore> {
    Ok(SledStore::open(data_dir(global)?.join("store"), Options::default())?)
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn add(store: &SledStore, args: &AddUserArgs, password: &str) -> anyhow::Result<Position> {
    let new = NewUser {
        organisation: args.organisation.clone(),
        email: args.email.clone(),
        name: args.name.clone(),
        role: args.role,
        password: password.to_owned(),
    };
    add_user(store, &new, now()).map_err(refused)
}

fn refused(error: UserError) -> anyhow::Error {
    match error {
        UserError::Store(error) => error.into(),
        other => invalid(other.to_string()),
    }
}

fn durable(store: &SledStore, position: Position) -> anyhow::Result<()> {
    let waiting = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(waiting.block_on(Records::durable(store, position))?)
}

/// The password, and whether it was made here.
fn password(generate: bool) -> anyhow::Result<(String, bool)> {
    if generate {
        let made = generate_password().ok_or_else(|| anyhow::anyhow!("the system gives no random numbers"))?;
        return Ok((made, true));
    }
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        terminal.write_str("Password: ")?;
        return Ok((terminal.read_secure_line()?, false));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok((line.trim_end_matches(['\r', '\n']).to_owned(), false))
}

fn tell(password: &str, generated: bool) -> anyhow::Result<()> {
    if generated { render::result(password) } else { Ok(()) }
}

fn list(store: &SledStore, as_json: bool) -> anyhow::Result<()> {
    let users = list_users(store)?;
    if as_json {
        let all: Vec<_> = users
            .iter()
            .map(|(organisation, email, name, role)| json!({ "organisation": organisation, "email": email, "name": name, "role": role }))
            .collect();
        return render::json(&all);
    }
    if users.is_empty() {
        render::line("Nobody yet. Let somebody in with: windflow users add EMAIL");
        return Ok(());
    }
    let mut rows = vec![["ORGANISATION", "E-MAIL", "ROLE", "NAME"].map(String::from).to_vec()];
    for (organisation, email, name, role) in users {
        rows.push(vec![organisation.to_string(), email, role.word().to_owned(), name]);
    }
    render::result(&table(&rows))
}
