//! `windflow deploy`

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use windflow_core::problem;
use windflow_runtime::{Clock, SystemClock};
use windflow_stacks::book::Request;
use windflow_stacks::carry::{Carry, Reached};
use windflow_stacks::compose::{self, Context, Loaded};
use windflow_stacks::deployment::{Content, Deployment, Stack};
use windflow_stacks::variables::dotenv;

use self::progress::Progress;
use crate::cli::{DeployArgs, Global};
use crate::commands::document;
use crate::deploying::{Deploying, Interrupt, kept, now, told};
use crate::exit::{self, invalid};
use crate::render;

pub(crate) mod confirm;
mod progress;
pub(crate) mod show;

/// How long services may take until they are up, where nobody says it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(crate) fn run(global: &Global, args: &DeployArgs) -> anyhow::Result<ExitCode> {
    let given = variables(args)?;
    let deploying = Deploying::open(global)?;
    deploying.block_on(async {
        let (text, stack) = source(&deploying, &args.file, args.version)?;
        are_known(&text, &given)?;
        let named = args.name.as_ref().or(stack.as_ref().map(|stack| &stack.name));
        let name = named.cloned().or_else(|| compose::written_name(&text));
        let declared = compose::declared(&text);
        // Passwords that were made before stay what they are.
        let values = match &name {
            Some(name) => deploying.book.values(&args.target, name, &declared, &given).map_err(kept)?,
            None => given.clone(),
        };
        let loaded = load(&text, &args.file, named.map(String::as_str), &values, &args.profile);
        let content = valid(loaded, &text, &args.file)?;
        let reached = deploying.reach(&args.target).await?;
        let plan = reached.driver.plan(&content.project).await.map_err(|error| told(&error))?;
        if args.plan {
            return show::plan(&plan, args.json).map(|()| ExitCode::SUCCESS);
        }
        confirm::risks(&content.project, &args.confirm)?;
        if !args.yes && !plan.is_empty() {
            confirm::plan(&plan, &content.project.name, &reached.name)?;
        }
        let own = stack.filter(|stack| stack.name == content.project.name);
        let as_it_is = args.version.filter(|_| own.is_some());
        let description = own.map(|stack| stack.description);
        let description = description.unwrap_or_default();
        let name = &content.project.name;
        // An old version that is deployed again stays the one that it is.
        let version = match as_it_is {
            Some(version) => version,
            None => deploying.book.keep_stack(name, &description, &text, "cli", now()).map_err(kept)?.version,
        };
        let request =
            Wanted { content, version: Some(version), rollback_to: None, timeout: args.timeout.unwrap_or(TIMEOUT) };
        let ended = carry(&deploying, &reached, request, args.json).await?;
        show::ended(&ended, args.json)
    })
}

/// The text of a file, or of a stack that is kept under this name, with that.
fn source(deploying: &Deploying, file: &Path, version: Option<u32>) -> anyhow::Result<(String, Option<Stack>)> {
    if (!file.exists() || version.is_some())
        && let Some(name) = file.to_str()
        && let Ok(stack) = deploying.book.stack(name)
    {
        let version = deploying.book.stack_version(name, version.unwrap_or(stack.version)).map_err(kept)?;
        return Ok((version.text, Some(stack)));
    }
    if version.is_some() {
        return Err(of_no_stack(file));
    }
    if !file.exists() && compose::is_project_name(&file.to_string_lossy()) {
        let file = file.display();
        return Err(invalid(format!(
            "there is neither a file {file} nor a stack of this name; `windflow stacks list` shows those that are kept"
        )));
    }
    Ok((document::read(file)?, None))
}

/// Why `--version` says nothing of a file.
pub(crate) fn of_no_stack(file: &Path) -> anyhow::Error {
    invalid(format!(
        "--version is of a stack that is kept, and {} is none; `windflow stacks list` shows them",
        file.display()
    ))
}

/// Refuses values of variables that a document has not: what was misspelt would be deployed with its default.
///
/// # Errors
/// Where there is one.
pub(crate) fn are_known(text: &str, given: &BTreeMap<String, String>) -> anyhow::Result<()> {
    match compose::unknown(text, given.keys()) {
        Some(unknown) => Err(invalid(format!("{unknown} [unknown_variable]\n  = {}", unknown.remedy))),
        None => Ok(()),
    }
}

/// What is to be deployed.
pub(crate) struct Wanted {
    pub(crate) content: Content,
    pub(crate) version: Option<u32>,
    pub(crate) rollback_to: Option<String>,
    pub(crate) timeout: Duration,
}

/// Carries a deployment out and shows it live. The store is this process's own: whatever else is kept as under way was cut off.
pub(crate) async fn carry(
    deploying: &Deploying,
    reached: &Reached,
    wanted: Wanted,
    quiet: bool,
) -> anyhow::Result<Deployment> {
    let request = Request {
        id: SystemClock.new_run_id().to_string(),
        version: wanted.version,
        target: reached.name.clone(),
        content: wanted.content,
        rollback_to: wanted.rollback_to,
        by: "cli".to_owned(),
        take_over: true,
    };
    let begun = deploying.book.begin(&request, now()).map_err(kept)?;
    let interrupt = Interrupt::default();
    let progress = Progress::new(quiet);
    let events = |event| progress.show(event);
    let carry = Carry {
        book: &deploying.book,
        reached,
        timeout: wanted.timeout,
        cancel: &interrupt,
        events: &events,
        now: &now,
    };
    let listening = interrupt.clone().listen();
    tokio::pin!(listening);
    let ended = tokio::select! {
        ended = carry.out(&begun) => ended,
        () = &mut listening => Err(windflow_stacks::book::BookError::Invalid("signals cannot be heard".to_owned())),
    };
    progress.finish();
    ended.map_err(kept)
}

pub(crate) fn load(
    text: &str,
    file: &Path,
    name: Option<&str>,
    values: &BTreeMap<String, String>,
    profiles: &[String],
) -> Loaded {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let files = |name: &str| document::read(&folder.join(name)).map_err(|error| error.to_string());
    compose::load(text, &Context { name, variables: values, profiles, files: &files })
}

/// Prints every problem; what is valid.
pub(crate) fn valid(loaded: Loaded, text: &str, file: &Path) -> anyhow::Result<Content> {
    if !loaded.problems.is_empty() {
        render::line(problem::render(&file.display().to_string(), text, &loaded.problems).trim_end());
    }
    let errors = loaded.problems.iter().filter(|problem| problem.is_error()).count();
    match loaded.project {
        Some(project) => Ok(Content { project, values: loaded.values }),
        None => Err(invalid(document::counted(file, errors))),
    }
}

/// What is said of variables: by a file, and over it one by one.
///
/// # Errors
/// Where the file cannot be read.
pub(crate) fn variables(args: &DeployArgs) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    if let Some(file) = &args.var_file {
        values = dotenv(&document::read(file)?);
    }
    values.extend(args.variables.iter().cloned());
    Ok(values)
}

/// How a deployment ended, as the command's exit status.
pub(crate) fn status(deployment: &Deployment) -> ExitCode {
    let error = deployment.outcome.as_ref().and_then(|outcome| outcome.error.as_ref());
    if error.is_some_and(|error| error.code == "cancelled") {
        return ExitCode::from(exit::INTERRUPTED);
    }
    if deployment.status.is_good() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) }
}
