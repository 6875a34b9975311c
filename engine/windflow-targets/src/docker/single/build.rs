//! Making an image by the engine's own builder.

use std::collections::HashMap;

use bollard::query_parameters::BuildImageOptionsBuilder;
use bytes::Bytes;
use futures::StreamExt;
use windflow_stacks::containers::{Build, FolderContext, Handed, ImageFacts, Said, With, Written};
use windflow_stacks::driver::{DriverError, Result};

use super::super::{DockerTarget, errors, images, labels};
use super::{context, push};

/// Lines of the builder that an error tells.
const LINES: usize = 5;

pub(super) async fn build(
    target: &DockerTarget,
    wanted: &Build,
    folder: Option<&FolderContext>,
    with: &With<'_>,
) -> Result<ImageFacts> {
    let refused = |why: String| DriverError::new("invalid_build", why);
    let handed = wanted.handed().map_err(refused)?;
    let labels: HashMap<_, _> = [(labels::BUILT, with.run)].into();
    let mut options = BuildImageOptionsBuilder::default()
        .t(&wanted.tags[0])
        .rm(true)
        .forcerm(true)
        .nocache(wanted.no_cache)
        .labels(&labels)
        .buildargs(&wanted.arguments.clone().into_iter().collect::<HashMap<_, _>>());
    if let Some(stage) = &wanted.target_stage {
        options = options.target(stage);
    }
    if let Some(platform) = &wanted.platform {
        options = options.platform(platform);
    }
    if wanted.pull {
        options = options.pull("1");
    }
    let mut sent = None;
    let body = if let Some(context) = &wanted.context {
        options = options.remote(context);
        if let Some(path) = &wanted.dockerfile {
            options = options.dockerfile(path);
        }
        bollard::body_full(Bytes::new())
    } else if wanted.folder.is_some() {
        let folder = folder.ok_or_else(|| refused("the folder of the run was not handed over".to_owned()))?;
        options = options.dockerfile(&folder.dockerfile);
        (with.tell)(&format!("sending {} files of {}", folder.files.len(), folder.folder.path()));
        let (pieces, told) = context::send(folder.clone());
        sent = Some(told);
        bollard::body_try_stream(pieces)
    } else {
        let archive = archive(&handed).map_err(|error| refused(format!("the files cannot be handed over: {error}")))?;
        bollard::body_full(archive.into())
    };
    let logins = with.registries.iter().map(|(host, login)| (host.clone(), images::credentials(host, login))).collect();
    let stream = target.docker.build_image(options.build(), Some(logins), Some(body));
    let heard = hear(stream, with).await;
    // Where the files could not be read, that is why the engine has nothing to build from.
    if let Some(why) = sent.and_then(|sent| sent.get().cloned()) {
        let message = format!("the files of the run could not be handed over: {why}");
        return Err(DriverError::new("files_unavailable", message).may_help());
    }
    let id = heard?;
    push::tag(target, &id.unwrap_or_else(|| wanted.tags[0].clone()), &wanted.tags[1..]).await
}

fn archive(files: &[Handed]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    context::append_folders(&mut archive, files.iter().map(|file| file.path.as_str()))?;
    for file in files {
        let mut header = context::header(file.content.len() as u64, file.mode);
        archive.append_data(&mut header, &file.path, file.content.as_slice())?;
    }
    archive.into_inner()
}

/// Hears the builder to its end; the image's id.
async fn hear(
    mut stream: impl futures::Stream<Item = std::result::Result<bollard::models::BuildInfo, bollard::errors::Error>> + Unpin,
    with: &With<'_>,
) -> Result<Option<String>> {
    let (mut written, mut step, mut id) = (Written::default(), String::new(), None);
    while let Some(told) = stream.next().await {
        let told = match told {
            Ok(told) => told,
            Err(error) => return Err(failed(&step, &written.end(&with.tell), errors::of(&error))),
        };
        if let Some(text) = &told.stream {
            if text.starts_with("Step ") {
                text.trim_end().clone_into(&mut step);
            }
            written.take(text.as_bytes(), false, &with.tell);
        }
        if let Some(status) = told.status.filter(|_| told.progress_detail.is_none()) {
            (with.tell)(&status);
        }
        id = told.aux.and_then(|image| image.id).or(id);
    }
    Ok(id)
}

/// An error names the step and what it wrote last. Where the engine says what is wrong with itself, that is what is told.
fn failed(step: &str, said: &Said, error: DriverError) -> DriverError {
    let own =
        ["unreachable", "disk_full", "image_unauthorised", "image_missing", "registry_unreachable", "not_an_engine"];
    let beyond = beyond_the_builder(&error.message);
    let code = match &beyond {
        _ if own.contains(&error.code.as_str()) => error.code.as_str(),
        Some((code, _)) => code,
        None => "build_failed",
    };
    let step: String = step.chars().take(200).collect();
    let place = if step.is_empty() { String::new() } else { format!(" at {step}") };
    let of_builder = |line: &str| ["Step ", " ---> ", "Removing intermediate "].iter().any(|it| line.starts_with(it));
    let lines: Vec<&str> = said.output.lines().filter(|line| !line.trim().is_empty() && !of_builder(line)).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let last: String = last.iter().map(|line| format!("\n  {}", line.chars().take(300).collect::<String>())).collect();
    let message = format!("the build failed{place}: {}{last}", error.message.trim());
    let is_own = own.contains(&code);
    let remedy = if is_own { error.remedy } else { beyond.map(|(_, remedy)| remedy.to_owned()) };
    DriverError { remedy, may_help: is_own && error.may_help, ..DriverError::new(code, message) }
}

/// Flags of instructions that only BuildKit knows.
const FLAGS: [&str; 10] =
    ["mount", "network", "security", "link", "chmod", "parents", "exclude", "checksum", "keep-git-dir", "unpack"];

/// What the engine's own builder cannot do, by the words that it has for it: a code, and how to do without. Of here-documents it takes each line for an
/// instruction, as it takes one that is misspelt.
fn beyond_the_builder(message: &str) -> Option<(&'static str, &'static str)> {
    let text = message.to_lowercase();
    let flag = text.split_once("unknown flag: ").map(|(_, flag)| flag.trim());
    if text.contains("requires buildkit") || flag.is_some_and(|flag| FLAGS.contains(&flag)) {
        return Some((
            "needs_buildkit",
            "images are built by the engine's own builder, which is not BuildKit: leave this flag out, or build the image where BuildKit is, push it, and name it where it is deployed",
        ));
    }
    if text.contains("failed to parse platform") && text.contains("\"\"") {
        return Some((
            "needs_buildkit",
            "images are built by the engine's own builder, which is not BuildKit and sets no BUILDPLATFORM or TARGETPLATFORM: leave `--platform` out of `FROM`, and say the `platform` of the build",
        ));
    }
    text.contains("unknown instruction: ").then_some((
        "build_failed",
        "is it misspelt? Where it is a line of a here-document (`<<EOF`), that needs BuildKit, which does not build here: write the commands into one `RUN` with `&&`, or into a file that is copied",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_buildkit_can_do_is_told_from_what_is_wrong() {
        for (message, code) in [
            (
                "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/",
                Some("needs_buildkit"),
            ),
            ("dockerfile parse error line 2: Unknown flag: link", Some("needs_buildkit")),
            ("dockerfile parse error line 2: Unknown flag: colour", None),
            ("failed to parse platform : \"\" is an invalid component of \"\"", Some("needs_buildkit")),
            ("dockerfile parse error line 3: unknown instruction: ECHO", Some("build_failed")),
            ("The command '/bin/sh -c false' returned a non-zero code: 1", None),
        ] {
            assert_eq!(beyond_the_builder(message).map(|(code, _)| code), code, "{message}");
        }
    }
}
