//! A folder of the run that an image is built from: what of it goes to the engine. Files of a run are flat and hold no links, so that
//! nothing of another folder can be among them.

use windflow_core::ports::files::{FilesError, MAX_FILES, MAX_FILES_BYTES, RunFolder};

use super::build::{Build, DOCKERFILE};
use super::ignore::{self, Ignore};

const DOCKERIGNORE: &str = ".dockerignore";

/// Longest Dockerfile, in bytes.
const MAX_DOCKERFILE_BYTES: u64 = 1 << 20;

/// What goes to the engine, and what is known of it already.
#[derive(Clone)]
pub struct FolderContext {
    /// Where the files are.
    pub folder: RunFolder,
    /// Which of them it is.
    pub files: Vec<FolderFile>,
    /// The path of the Dockerfile.
    pub dockerfile: String,
    /// Its text.
    pub text: String,
}

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// Its path in the folder.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// Permissions.
    pub mode: u32,
}

/// Why no image can be built from a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBuildable {
    /// It is not there.
    #[error("{0}")]
    NoFolder(String),
    /// It is there, without its Dockerfile.
    #[error("{0}")]
    NoDockerfile(String),
    /// What it holds cannot be built from.
    #[error("{0}")]
    Invalid(String),
    /// The disk cannot be read.
    #[error("the files of the run cannot be read: {0}")]
    Unavailable(String),
}

impl FolderContext {
    /// Looks at a folder. It may wait for the disk.
    ///
    /// # Errors
    /// What is missing or wrong, and how to mend it.
    pub fn of(wanted: &Build, folder: RunFolder) -> Result<Self, NotBuildable> {
        let all = folder.list().map_err(|error| unreadable(&error))?;
        if all.is_empty() {
            let message = format!(
                "the run has no files in a folder {0:?}: is it what `path` of `git-checkout` says, and does this node run after it? Name the one before under `needs`",
                folder.path().as_str()
            );
            return Err(NotBuildable::NoFolder(message));
        }
        let dockerfile = wanted.dockerfile.as_deref().unwrap_or(DOCKERFILE).trim_start_matches("./").to_owned();
        let text = match all.iter().find(|(path, _)| *path == dockerfile) {
            Some((path, bytes)) => text_of(&folder, path, *bytes, MAX_DOCKERFILE_BYTES)?,
            None => return Err(no_dockerfile(&folder, &dockerfile, &all)),
        };
        // A Dockerfile can have one of its own, which then counts alone.
        let own = format!("{dockerfile}{DOCKERIGNORE}");
        let found = [own.as_str(), DOCKERIGNORE].into_iter().find_map(|name| all.iter().find(|(path, _)| path == name));
        let has_own = found.is_some_and(|(path, _)| *path == own);
        let ignore = match found {
            Some((path, bytes)) => text_of(&folder, path, *bytes, ignore::MAX_BYTES as u64)?,
            None => String::new(),
        };
        let name = if has_own { own.as_str() } else { DOCKERIGNORE };
        let ignore = Ignore::read(&ignore, name).map_err(NotBuildable::Invalid)?;
        if let Some(unknown) = wanted.executable.iter().find(|named| !all.iter().any(|(path, _)| path == *named)) {
            let message = format!(
                "`executable` names {unknown:?}, which is not in the folder {:?}; paths begin in that folder",
                folder.path().as_str()
            );
            return Err(NotBuildable::Invalid(message));
        }
        // The engine reads both, and leaves them out itself where they are named. It knows `.dockerignore` alone, which says nothing where the
        // Dockerfile has its own.
        let goes = |path: &str| match path {
            DOCKERIGNORE if has_own => false,
            _ => path == dockerfile || path == DOCKERIGNORE || !ignore.leaves_out(path),
        };
        let mode = |path: &String| if wanted.executable.contains(path) { 0o755 } else { 0o644 };
        let files: Vec<_> = (all.into_iter().filter(|(path, _)| goes(path)))
            .map(|(path, bytes)| FolderFile { mode: mode(&path), path, bytes })
            .collect();
        // What a run may have in all is what a build may take, wherever the files are kept.
        let bytes = files.iter().fold(0_u64, |bytes, file| bytes.saturating_add(file.bytes));
        if files.len() > MAX_FILES || bytes > MAX_FILES_BYTES {
            let message = format!(
                "an image is built from {MAX_FILES} files and {} MiB at most, and these are {} and {} MiB: name what it does not need in .dockerignore",
                MAX_FILES_BYTES >> 20,
                files.len(),
                bytes >> 20
            );
            return Err(NotBuildable::Invalid(message));
        }
        Ok(Self { folder, files, dockerfile, text })
    }
}

fn unreadable(error: &FilesError) -> NotBuildable {
    NotBuildable::Unavailable(error.to_string())
}

fn text_of(folder: &RunFolder, path: &str, bytes: u64, most: u64) -> Result<String, NotBuildable> {
    if bytes > most {
        return Err(NotBuildable::Invalid(format!("{path} has {bytes} bytes; at most {most} are read")));
    }
    let content = folder.read(path, 0, u32::try_from(bytes).unwrap_or(u32::MAX)).map_err(|error| unreadable(&error))?;
    String::from_utf8(content).map_err(|_| NotBuildable::Invalid(format!("{path} is no text in UTF-8")))
}

/// Where there are others, they are named.
fn no_dockerfile(folder: &RunFolder, wanted: &str, all: &[(String, u64)]) -> NotBuildable {
    let folder = folder.path().as_str();
    let shown: String = wanted.chars().take(100).collect();
    if wanted.contains('\n') {
        let message = "with a `folder`, `dockerfile` is the path of the Dockerfile there, not its text";
        return NotBuildable::Invalid(message.to_owned());
    }
    let is_one = |path: &&String| path.rsplit('/').next().is_some_and(|name| name.contains(DOCKERFILE));
    let others: Vec<_> =
        all.iter().map(|(path, _)| path).filter(is_one).take(5).map(|path| format!("`{path}`")).collect();
    let mend = if others.is_empty() {
        "write one, or name a folder that has one".to_owned()
    } else {
        format!("there is {}: name it under `dockerfile`, or its folder under `folder`", others.join(", "))
    };
    NotBuildable::NoDockerfile(format!("the folder {folder:?} has no {shown}: {mend}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use windflow_core::id::{OrganisationId, RunId, RunKey};
    use windflow_core::ports::files::FileStore;
    use windflow_store::MemoryFiles;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
    fn of(files: &[(&str, &str)], more: Value) -> Result<FolderContext, NotBuildable> {
        let store = Arc::new(MemoryFiles::default());
        let run: RunId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
        let run = RunKey { organisation: OrganisationId::local(), run };
        for (path, content) in files {
            store.write(&run, &path.parse().unwrap(), 0, content.as_bytes()).unwrap();
        }
        let mut asked = json!({ "folder": "shop", "tags": ["shop:1"] });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let wanted: Build = serde_json::from_value(asked).unwrap();
        FolderContext::of(&wanted, RunFolder::new(store, run, "shop".parse().unwrap()))
    }

    fn told(context: &FolderContext) -> Vec<(&str, u64, u32)> {
        context.files.iter().map(|file| (file.path.as_str(), file.bytes, file.mode)).collect()
    }

    const SHOP: &[(&str, &str)] = &[
        ("shop/.dockerignore", "# what only people need\n*.md\nDockerfile\n.dockerignore\ntests\n!tests/keep\n"),
        ("shop/Dockerfile", "FROM a"),
        ("shop/README.md", "#"),
        ("shop/bin/run.sh", "#!"),
        ("shop/tests/a", "1"),
        ("shop/tests/keep", "12"),
        ("shop2/x", "another folder"),
        ("secret", "of the run"),
    ];

    #[test]
    fn what_is_in_the_folder_goes_and_nothing_else() {
        let context = of(SHOP, json!({ "executable": ["bin/run.sh"] })).unwrap();
        let expected = [
            (".dockerignore", 70, 0o644),
            ("Dockerfile", 6, 0o644),
            ("bin/run.sh", 2, 0o755),
            ("tests/keep", 2, 0o644),
        ];
        assert_eq!(told(&context)[1..], expected[1..]);
        assert_eq!(told(&context)[0].0, expected[0].0);
        assert_eq!((context.dockerfile.as_str(), context.text.as_str()), ("Dockerfile", "FROM a"));
        let content = context.folder.read("bin/run.sh", 0, 100).unwrap();
        assert_eq!(content, b"#!");
        assert!(context.folder.read("../secret", 0, 100).is_err());
        let other = of(&[("shop/docker/Dockerfile.web", "FROM b")], json!({ "dockerfile": "./docker/Dockerfile.web" }));
        assert_eq!(other.unwrap().text, "FROM b");
    }

    #[test]
    fn a_dockerfile_with_an_ignore_file_of_its_own_needs_no_other() {
        let files = [
            ("shop/.dockerignore", "*"),
            ("shop/docker/web.dockerignore", "*.md\ndocker/*.dockerignore"),
            ("shop/docker/web", "FROM a"),
            ("shop/README.md", "#"),
            ("shop/a", ""),
        ];
        let paths = |context: FolderContext| context.files.into_iter().map(|file| file.path).collect::<Vec<_>>();
        let own = of(&files, json!({ "dockerfile": "docker/web" })).unwrap();
        assert_eq!(paths(own), ["a", "docker/web"], "the engine would go by the other one, so that it stays");
        let files = [&files[..], &[("shop/Dockerfile", "FROM a")]].concat();
        assert_eq!(paths(of(&files, json!({})).unwrap()), [".dockerignore", "Dockerfile"]);
        let wrong = of(&[("shop/Dockerfile", ""), ("shop/Dockerfile.dockerignore", "[a")], json!({})).err().unwrap();
        assert!(
            matches!(&wrong, NotBuildable::Invalid(why) if why.starts_with("Dockerfile.dockerignore, line 1")),
            "{wrong}"
        );
    }

    #[test]
    fn what_is_missing_is_told_and_how_to_mend_it() {
        let nothing = of(&[("shopping/Dockerfile", "FROM a"), ("shop2", "")], json!({})).err().unwrap();
        assert!(
            matches!(&nothing, NotBuildable::NoFolder(why) if why.contains("git-checkout") && why.contains("`needs`"))
        );
        // A file is no folder.
        assert!(matches!(of(&[("shop", "FROM a")], json!({})), Err(NotBuildable::NoFolder(_))));
        for (files, more, says) in [
            (&[("shop/a", "")][..], json!({}), "has no Dockerfile: write one"),
            (&[("shop/web/Dockerfile", "")], json!({}), "there is `web/Dockerfile`: name it under `dockerfile`"),
            (&[("shop/Dockerfile", "")], json!({ "dockerfile": "../Dockerfile" }), "has no ../Dockerfile"),
        ] {
            let error = of(files, more).err().unwrap();
            assert!(matches!(&error, NotBuildable::NoDockerfile(why) if why.contains(says)), "{says}: {error}");
        }
        let good = ("shop/Dockerfile", "FROM a");
        let large = "a".repeat(ignore::MAX_BYTES + 1);
        for (files, more, says) in [
            (vec![good], json!({ "dockerfile": "FROM a\nRUN x" }), "not its text"),
            (vec![good], json!({ "executable": ["shop/run.sh"] }), "paths begin in that folder"),
            (vec![good, ("shop/.dockerignore", "[a")], json!({}), ".dockerignore, line 1"),
            (vec![good, ("shop/.dockerignore", &large)], json!({}), "at most 65536"),
        ] {
            let error = of(&files, more).err().unwrap();
            assert!(matches!(&error, NotBuildable::Invalid(why) if why.contains(says)), "{says}: {error}");
        }
    }
}
