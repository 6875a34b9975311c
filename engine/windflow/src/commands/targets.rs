//! `windflow targets …`

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

use windflow_core::run::Timestamp;
use windflow_stacks::driver::{Facts, RegistryLogin};
use windflow_stacks::target::{self, Credentials, New, Target};

use crate::cli::{AddTargetArgs, Global, TargetsCommand};
use crate::commands::document;
use crate::deploying::{Deploying, kept, now, told};
use crate::exit::{self, invalid};
use crate::render::{self, table::table};

/// Who changes something from the command line.
const BY: &str = "cli";

pub(crate) fn run(global: &Global, command: &TargetsCommand) -> anyhow::Result<ExitCode> {
    match command {
        TargetsCommand::List { json } => list(&Deploying::open(global)?, *json)?,
        TargetsCommand::Add(args) => {
            let (new, credentials) = read(args)?;
            let deploying = Deploying::open(global)?;
            deploying.book.add_target(&new, &credentials, BY, now()).map_err(kept)?;
            deploying.block_on(deploying.book.durable()).map_err(kept)?;
            render::line(&format!("{} is kept; `windflow targets test {}` reaches it", args.name, args.name));
        }
        TargetsCommand::Test { target, json } => test(&Deploying::open(global)?, target, *json)?,
        TargetsCommand::Import { file } => return import(global, file),
        TargetsCommand::Login { target, registry, username } => {
            let password = password()?;
            let deploying = Deploying::open(global)?;
            login(&deploying, target, registry, RegistryLogin { username: username.clone(), password })?;
        }
        TargetsCommand::Remove { target } => {
            let deploying = Deploying::open(global)?;
            deploying.book.remove_target(target).map_err(kept)?;
            deploying.block_on(deploying.book.durable()).map_err(kept)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &AddTargetArgs) -> anyhow::Result<(New, Credentials)> {
    let file = |path: &Option<PathBuf>| path.as_deref().map(document::read).transpose();
    let credentials = Credentials {
        ca: file(&args.ca)?,
        certificate: file(&args.cert)?,
        key: file(&args.key)?,
        ssh_private_key: file(&args.ssh_key)?,
        ssh_host_keys: file(&args.ssh_host_keys)?,
        ..Credentials::default()
    };
    let new = New {
        name: args.name.clone(),
        address: args.address.clone(),
        environment: args.environment,
        groups: args.groups.iter().cloned().collect(),
        tags: args.tags.iter().cloned().collect(),
        description: args.description.clone(),
    };
    Ok((new, credentials))
}

fn all(deploying: &Deploying) -> anyhow::Result<Vec<Target>> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let (items, next) = deploying.book.targets(after.as_deref(), 500).map_err(kept)?;
        all.extend(items);
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn list(deploying: &Deploying, as_json: bool) -> anyhow::Result<()> {
    let mut targets = all(deploying)?;
    targets.iter_mut().for_each(|target| target.sealed = None);
    if as_json {
        return render::json(&targets);
    }
    print(
        targets,
        "No target is described. This machine's own engine is `local`; others: windflow targets add NAME ADDRESS",
    )
}

/// Prints targets as a table, and another line where there is none.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print(targets: Vec<Target>, none: &str) -> anyhow::Result<()> {
    if targets.is_empty() {
        render::line(none);
        return Ok(());
    }
    let mut rows = vec![["TARGET", "ENVIRONMENT", "ADDRESS", "GROUPS", "TAGS"].map(String::from).to_vec()];
    for target in targets {
        let words = |words: std::collections::BTreeSet<String>| words.into_iter().collect::<Vec<_>>().join(", ");
        let environment = target.environment.word().to_owned();
        rows.push(vec![target.name, environment, target.address, words(target.groups), words(target.tags)]);
    }
    render::result(&table(&rows))
}

fn test(deploying: &Deploying, target: &str, as_json: bool) -> anyhow::Result<()> {
    let facts = deploying.block_on(async {
        let reached = deploying.reach(target).await?;
        reached.driver.facts().await.map_err(|error| told(&error))
    })?;
    print_facts(&facts, as_json)
}

/// Prints what a target is like.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_facts(facts: &Facts, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return render::json(facts);
    }
    render::result(&format!(
        "engine      {}\nplatform    {}\ncores       {}\nmemory      {}\ncontainers  {} run, {} in all\nimages      {}",
        facts.engine,
        facts.platform,
        facts.cpus,
        render::bytes(facts.memory),
        facts.running,
        facts.containers,
        facts.images,
    ))
}

/// A report for each line; what is refused does not keep the others out.
fn import(global: &Global, file: &std::path::Path) -> anyhow::Result<ExitCode> {
    let lines =
        target::read_csv(&document::read(file)?).map_err(|why| invalid(format!("{}: {why}", file.display())))?;
    let deploying = Deploying::open(global)?;
    let (at, mut refused): (Timestamp, usize) = (now(), 0);
    for line in lines {
        let kept = line.target.and_then(|new| {
            let added = deploying.book.add_target(&new, &Credentials::default(), BY, at);
            added.map(|target| target.name).map_err(|error| error.to_string())
        });
        match kept {
            Ok(name) => render::result(&format!("{}: {name} is kept", line.line))?,
            Err(why) => {
                refused += 1;
                render::result(&format!("{}: refused: {why}", line.line))?;
            }
        }
    }
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

fn login(deploying: &Deploying, name: &str, registry: &str, login: RegistryLogin) -> anyhow::Result<()> {
    let target = deploying.book.target(name).map_err(kept)?;
    let mut credentials = deploying.book.credentials(&target).map_err(kept)?;
    credentials.registries.insert(registry.to_owned(), login);
    let new = New {
        name: target.name,
        address: target.address,
        environment: target.environment,
        groups: target.groups,
        tags: target.tags,
        description: target.description,
    };
    deploying.book.change_target(&new, Some(&credentials), BY, now()).map_err(kept)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    render::line(&format!("{name} logs in to {registry}"));
    Ok(())
}

fn password() -> anyhow::Result<String> {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        terminal.write_str("Password: ")?;
        return Ok(terminal.read_secure_line()?);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
