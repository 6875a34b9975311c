//! `windflow targets …`

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use windflow_core::run::Timestamp;
use windflow_stacks::book::BookError;
use windflow_stacks::carry::{LOCAL, LOCAL_ADDRESS};
use windflow_stacks::driver::{Facts, RegistryLogin};
use windflow_stacks::target::{self, Credentials, New, Target};

use crate::cli::{AddTargetArgs, ChangeTargetArgs, CredentialFiles, Global, ListTargetsArgs, TargetsCommand};
use crate::commands::document;
use crate::deploying::{Deploying, kept, now, told};
use crate::exit::{self, invalid};
use crate::render::{self, table::table};

/// Who changes something from the command line.
const BY: &str = "cli";

pub(crate) fn run(global: &Global, command: &TargetsCommand) -> anyhow::Result<ExitCode> {
    match command {
        TargetsCommand::List(args) => list(&Deploying::open(global)?, args)?,
        TargetsCommand::Show { target, json } => match Deploying::open(global)?.book.target(target) {
            Err(BookError::NotFound(_)) if target == LOCAL => print_local(*json)?,
            found => print_one(found.map_err(kept)?, *json)?,
        },
        TargetsCommand::Add(args) => {
            let (new, credentials) = read(args)?;
            let deploying = Deploying::open(global)?;
            deploying.book.add_target(&new, &credentials, BY, now()).map_err(kept)?;
            deploying.block_on(deploying.book.durable()).map_err(kept)?;
            render::line(&added(&args.name));
        }
        TargetsCommand::Change(args) => {
            let credentials = credentials(&args.credentials)?;
            let deploying = Deploying::open(global)?;
            let new = changed(deploying.book.target(&args.target).map_err(kept)?, args);
            deploying.book.change_target(&new, Some(&credentials), BY, now()).map_err(kept)?;
            deploying.block_on(deploying.book.durable()).map_err(kept)?;
            render::line(&format!("{} is changed", args.target));
        }
        TargetsCommand::Test { target, json } => test(&Deploying::open(global)?, target, *json)?,
        TargetsCommand::Import { file } => return import(global, file),
        TargetsCommand::Login { target, registry, username } => {
            let password = password()?;
            let deploying = Deploying::open(global)?;
            login(&deploying, target, registry, RegistryLogin { username: username.clone(), password })?;
            render::line(&format!("{target} logs in to {registry}"));
        }
        TargetsCommand::Logout { target, registry } => {
            let deploying = Deploying::open(global)?;
            let known = deploying.book.target(target).map_err(kept)?;
            if !deploying.book.credentials(&known).map_err(kept)?.registries.contains_key(registry) {
                return Err(invalid(format!("{target} has no login of {registry}")));
            }
            login(&deploying, target, registry, RegistryLogin::default())?;
            render::line(&format!("{target} logs in to {registry} no more"));
        }
        TargetsCommand::Remove { target } => {
            let deploying = Deploying::open(global)?;
            deploying.book.remove_target(target).map_err(kept)?;
            deploying.block_on(deploying.book.durable()).map_err(kept)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is said where a target was described.
pub(crate) fn added(name: &str) -> String {
    format!("{name} is kept; `windflow targets test {name}` reaches it")
}

/// How a target is reached, read from the files that are named.
///
/// # Errors
/// Where one cannot be read.
pub(crate) fn credentials(files: &CredentialFiles) -> anyhow::Result<Credentials> {
    let file = |path: &Option<PathBuf>| path.as_deref().map(document::read).transpose();
    Ok(Credentials {
        ca: file(&files.ca)?,
        certificate: file(&files.cert)?,
        key: file(&files.key)?,
        ssh_private_key: file(&files.ssh_key)?,
        ssh_host_keys: file(&files.ssh_host_keys)?,
        ..Credentials::default()
    })
}

/// What is to be said of a target: what is named, and else what was.
pub(crate) fn changed(old: Target, args: &ChangeTargetArgs) -> New {
    let words = |given: &[String], none: bool, old: std::collections::BTreeSet<String>| match given {
        [] if none => std::collections::BTreeSet::new(),
        [] => old,
        given => given.iter().cloned().collect(),
    };
    New {
        name: old.name,
        address: args.address.clone().unwrap_or(old.address),
        environment: args.environment.unwrap_or(old.environment),
        groups: words(&args.groups, args.no_groups, old.groups),
        tags: words(&args.tags, args.no_tags, old.tags),
        description: args.description.clone().unwrap_or(old.description),
    }
}

/// What is said of a new target.
///
/// # Errors
/// As [`credentials`].
pub(crate) fn read(args: &AddTargetArgs) -> anyhow::Result<(New, Credentials)> {
    let credentials = credentials(&args.credentials)?;
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

fn list(deploying: &Deploying, args: &ListTargetsArgs) -> anyhow::Result<()> {
    let mut targets = all(deploying)?;
    let none = if targets.is_empty() {
        "No target is described. This machine's own engine is `local`; others: windflow targets add NAME ADDRESS"
    } else {
        "No target is like that. `windflow targets list` shows all."
    };
    let fits = |given: &Option<String>, own: &std::collections::BTreeSet<String>| {
        given.as_ref().is_none_or(|given| own.contains(given))
    };
    let search = args.search.as_ref().map(|text| text.to_lowercase());
    targets.retain(|target| {
        let texts = [&target.name, &target.address, &target.description];
        fits(&args.group, &target.groups)
            && fits(&args.tag, &target.tags)
            && args.environment.is_none_or(|environment| environment == target.environment)
            && search.as_ref().is_none_or(|search| texts.iter().any(|text| text.to_lowercase().contains(search)))
    });
    targets.iter_mut().for_each(|target| target.sealed = None);
    if args.json {
        return render::json(&targets);
    }
    let is_whole = args.group.is_none() && args.tag.is_none() && args.environment.is_none() && args.search.is_none();
    let describes_local = targets.iter().any(|target| target.name == LOCAL);
    let is_none = targets.is_empty();
    print(targets, none)?;
    if is_whole && !is_none && !describes_local {
        render::line(&format!("This machine's own engine is `{LOCAL}`, without being described."));
    }
    Ok(())
}

/// Prints what is said of one target.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_one(mut target: Target, as_json: bool) -> anyhow::Result<()> {
    target.sealed = None;
    if as_json {
        return render::json(&target);
    }
    let words = |words: std::collections::BTreeSet<String>| words.into_iter().collect::<Vec<_>>().join(", ");
    let Target { name, address, environment, groups, tags, description, updated_at, updated_by, .. } = target;
    let lines = [
        ("target", name),
        ("address", address),
        ("environment", environment.word().to_owned()),
        ("groups", words(groups)),
        ("tags", words(tags)),
        ("description", description),
        ("changed", format!("{} by {updated_by}", render::time(updated_at))),
    ];
    let lines = lines.into_iter().filter(|(_, said)| !said.is_empty()).map(|(what, said)| format!("{what:<13}{said}"));
    render::result(&lines.collect::<Vec<_>>().join("\n"))
}

/// Prints what this machine's own engine is: a target without being described.
fn print_local(as_json: bool) -> anyhow::Result<()> {
    let what = "this machine's own engine, which need not be described";
    if as_json {
        return render::json(
            &json!({ "name": LOCAL, "address": LOCAL_ADDRESS, "described": false, "description": what }),
        );
    }
    render::result(&format!(
        "target       {LOCAL}\naddress      {LOCAL_ADDRESS}\ndescription  {what}; to give it tags or logins: windflow targets add {LOCAL} {LOCAL_ADDRESS}"
    ))
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
        refused += usize::from(kept.is_err());
        print_imported(line.line, kept)?;
    }
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

/// Prints what became of a line: the target that it made, or why it made none.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_imported(line: u64, made: Result<String, String>) -> anyhow::Result<()> {
    render::result(&match made {
        Ok(name) => format!("{line}: {name} is kept"),
        Err(why) => format!("{line}: refused: {why}"),
    })
}

fn login(deploying: &Deploying, name: &str, registry: &str, login: RegistryLogin) -> anyhow::Result<()> {
    let target = deploying.book.target(name).map_err(kept)?;
    let registries = [(registry.to_owned(), login)].into();
    let credentials = Credentials { registries, ..Credentials::default() };
    let new = New {
        name: target.name,
        address: target.address,
        environment: target.environment,
        groups: target.groups,
        tags: target.tags,
        description: target.description,
    };
    deploying.book.change_target(&new, Some(&credentials), BY, now()).map_err(kept)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)
}

/// A password, from the terminal or stdin.
///
/// # Errors
/// Where neither can be read.
pub(crate) fn password() -> anyhow::Result<String> {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        terminal.write_str("Password: ")?;
        return Ok(terminal.read_secure_line()?);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
