//! What nodes ask of single containers and images.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::Digest;
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::targets::TargetCall;
use windflow_stacks::book::Book;
use windflow_stacks::carry::Reached;
use windflow_stacks::containers::{
    self, Build, Containers, FolderContext, NotBuildable, Once, OnceJob, Prune, With, image,
};
use windflow_stacks::project::Project;
use windflow_stacks::risk::{Risk, risks};

use super::request::{Inspect, Single, Tag};
use super::{failed, invalid, not_kept, unconfirmed};

/// What may be asked: judged before the target is reached.
pub(super) struct Judged {
    asked: Single,
    /// What runs once.
    project: Option<Project>,
    /// What an image is built from, where that is a folder of the run.
    folder: Option<FolderContext>,
    timeout: Duration,
}

/// Judges what is asked.
///
/// # Errors
/// What is wrong with it.
pub(super) async fn judge(asked: Single, book: &Book, call: &TargetCall) -> Result<Judged, Failure> {
    let (mut project, mut folder) = (None, None);
    let seconds = match &asked {
        Single::Run(once) => {
            project = Some(judge_once(once, book, &call.target)?);
            once.seconds
        }
        Single::Exec(exec) => {
            exec.words().map_err(invalid)?;
            exec.seconds
        }
        Single::Build(build) => {
            folder = judge_build(build, call).await?;
            build.seconds
        }
        Single::Pull(wanted) | Single::Push(wanted) => {
            image::check(&wanted.image).map_err(invalid)?;
            wanted.seconds
        }
        Single::Tag(tag) => {
            judge_tag(tag).map_err(invalid)?;
            None
        }
        Single::Inspect(inspect) => {
            judge_inspect(inspect).map_err(invalid)?;
            None
        }
        Single::Prune(prune) if prune.volumes_of.len() > 100 => {
            return Err(invalid("`volumes_of` names 100 stacks at most".to_owned()));
        }
        Single::Prune(_) => None,
    };
    let timeout = containers::timeout(seconds).map_err(invalid)?;
    Ok(Judged { asked, project, folder, timeout })
}

fn judge_once(once: &Once, book: &Book, target: &str) -> Result<Project, Failure> {
    let good = once.stack.as_deref().map(|stack| book.good(target, stack)).transpose();
    let good = good.map_err(|error| not_kept(&error))?;
    let project = once.project(good.as_ref().map(|(_, content)| &content.project)).map_err(invalid)?;
    unconfirmed(risks(&project), &once.confirm)?;
    Ok(project)
}

async fn judge_build(build: &Build, call: &TargetCall) -> Result<Option<FolderContext>, Failure> {
    build.handed().map_err(invalid)?;
    let folder = match build.folder {
        Some(_) => Some(folder_of(build, call).await?),
        None => None,
    };
    // The engine fetches addresses from where it runs itself, not from within a container.
    let risk = Risk { service: "build".to_owned(), code: "host_network", what: String::new() };
    let fetches = build.fetches(folder.as_ref().map(|folder| folder.text.as_str()));
    unconfirmed(fetches.then_some(risk), &build.confirm)?;
    Ok(folder)
}

/// Looks at the folder of the run that goes with what is asked.
async fn folder_of(build: &Build, call: &TargetCall) -> Result<FolderContext, Failure> {
    let Some(folder) = call.folder.clone() else {
        return Err(invalid("`folder` names a folder of the run, and whoever asks here has none".to_owned()));
    };
    let build = build.clone();
    let looked = tokio::task::spawn_blocking(move || FolderContext::of(&build, folder)).await;
    let looked = looked.unwrap_or_else(|error| Err(NotBuildable::Unavailable(error.to_string())));
    looked.map_err(|error| {
        let (code, retry) = match error {
            NotBuildable::NoFolder(_) => ("no_folder", RetryHint::Never),
            NotBuildable::NoDockerfile(_) => ("no_dockerfile", RetryHint::Never),
            NotBuildable::Invalid(_) => ("invalid_build", RetryHint::Never),
            NotBuildable::Unavailable(_) => ("files_unavailable", RetryHint::MayHelp),
        };
        Failure { code: code.to_owned(), retry, ..Failure::new(FailureKind::Node, error.to_string()) }
    })
}

fn judge_tag(tag: &Tag) -> Result<(), String> {
    if tag.tags.is_empty() || tag.tags.len() > 20 {
        return Err("`tags` are 1 to 20 names".to_owned());
    }
    std::iter::once(&tag.image).chain(&tag.tags).try_for_each(|name| image::check(name))
}

fn judge_inspect(inspect: &Inspect) -> Result<(), String> {
    match inspect {
        Inspect { image: Some(image), stack: None, service: None } => image::check(image),
        Inspect { image: None, stack: Some(_), .. } => Ok(()),
        _ => Err("name either an `image`, or a `stack` and perhaps its `service`".to_owned()),
    }
}

/// The same for the same thing asked by the same node run.
pub(super) fn key(call: &TargetCall) -> String {
    let of = format!("{}\0{}\0{}\0{}", call.organisation, call.run, call.key, call.request.text());
    Digest::of(of.as_bytes()).to_string().trim_start_matches("sha256:")[..24].to_owned()
}

/// Does it.
pub(super) async fn perform(
    judged: Judged,
    reached: &Reached,
    key: &str,
    call: &TargetCall,
    cancel: &dyn CancelSignal,
) -> Result<Value, Failure> {
    let Judged { asked, project, folder, timeout } = judged;
    let Some(on) = reached.driver.containers() else {
        let message = format!("{} is no target that runs single containers", call.target);
        return Err(Failure::new(FailureKind::Node, message));
    };
    let events = Arc::clone(&call.events);
    let tell = move |line: &str| events(line);
    let run = call.run.to_string();
    let with = With { run: &run, registries: &reached.credentials.registries, timeout, cancel, tell: &tell };
    answer(on, &asked, project.as_ref(), folder.as_ref(), key, &with).await.map_err(|error| failed(&error))
}

async fn answer(
    on: &dyn Containers,
    asked: &Single,
    project: Option<&Project>,
    folder: Option<&FolderContext>,
    key: &str,
    with: &With<'_>,
) -> windflow_stacks::driver::Result<Value> {
    Ok(match asked {
        Single::Run(_) => {
            // What is judged has one.
            let Some(project) = project else { return Ok(Value::Null) };
            told(&on.run(&OnceJob { key, project }, with).await?)
        }
        Single::Exec(exec) => told(&on.exec(key, exec, with).await?),
        Single::Build(build) => json!({ "image": on.build(build, folder, with).await? }),
        Single::Pull(wanted) => json!({ "image": on.pull(&wanted.image, with).await? }),
        Single::Tag(tag) => json!({ "image": on.tag(&tag.image, &tag.tags).await? }),
        Single::Push(wanted) => json!({ "digest": on.push(&wanted.image, with).await? }),
        Single::Inspect(Inspect { image: Some(image), .. }) => json!({ "image": on.image(image).await? }),
        Single::Inspect(Inspect { stack, service, .. }) => {
            let stack = stack.as_deref().unwrap_or_default();
            json!({ "containers": on.containers_of(stack, service.as_deref()).await? })
        }
        Single::Prune(prune) => {
            let (containers, images, volumes_of) = (prune.containers, prune.images, prune.volumes_of.clone());
            told(&on.prune(&Prune { containers, images, volumes_of }).await?)
        }
    })
}

fn told(value: &impl Serialize) -> Value {
    // Texts and numbers always can be written.
    serde_json::to_value(value).unwrap_or_default()
}
