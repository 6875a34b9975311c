//! An image to build: from a Dockerfile and files that are handed over, from a folder of the run, or from an address that the engine fetches.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{dockerfile, image};

/// Files that go with a Dockerfile, and bytes of them together, at most.
const MAX_FILES: usize = 1000;
const MAX_BYTES: usize = 8 << 20;

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The text of the Dockerfile. With a `folder` or a `context`: its path there.
    #[serde(default)]
    pub dockerfile: Option<String>,
    /// Files beside it, by their paths.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Which of the files are programs.
    #[serde(default)]
    pub(super) executable: Vec<String>,
    /// A folder of the run.
    #[serde(default)]
    pub folder: Option<String>,
    /// A Git repository (`https://host/repository.git#branch:folder`) or an archive (`https://host/archive.tar.gz`).
    #[serde(default)]
    pub context: Option<String>,
    /// Values of its `ARG`s.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// The stage to stop at.
    #[serde(default)]
    pub target_stage: Option<String>,
    /// Names that the image gets.
    pub tags: Vec<String>,
    /// Whether newer versions of the images that it is based on are looked for.
    #[serde(default)]
    pub pull: bool,
    /// Whether everything is built anew.
    #[serde(default)]
    pub no_cache: bool,
    /// Operating system and architecture.
    #[serde(default)]
    pub platform: Option<String>,
    /// How long it may take.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Risks that are confirmed by name: `build:host_network`.
    #[serde(default)]
    pub confirm: Vec<String>,
}

/// A file as it is handed to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// Its path in the context.
    pub path: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Permissions.
    pub mode: u32,
}

/// The name under which a Dockerfile is handed over.
pub(super) const DOCKERFILE: &str = "Dockerfile";

impl Build {
    /// Judges it, and gives the files of its context that it holds itself; none where they are in a folder of the run (see
    /// [`FolderContext`](super::FolderContext)), or where the engine fetches them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn handed(&self) -> Result<Vec<Handed>, String> {
        if self.tags.is_empty() || self.tags.len() > 20 {
            return Err("`tags` names what the image is called: 1 to 20 names".to_owned());
        }
        for tag in &self.tags {
            image::check(tag)?;
            if tag.contains('@') {
                return Err(format!("{tag:?} is a digest, which an image has and does not get: name a tag"));
            }
        }
        let bytes: usize = self.arguments.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.arguments.len() > 200 || bytes > 64 << 10 {
            return Err("`arguments` are 200 and 64 kB at most".to_owned());
        }
        if self.folder.is_some() && self.context.is_some() {
            return Err("the files come from a `folder` of the run or from a `context`: name one of them".to_owned());
        }
        if (self.folder.is_some() || self.context.is_some()) && !self.files.is_empty() {
            return Err(
                "`files` go with the text of a Dockerfile; with a `folder` or a `context` they come from there"
                    .to_owned(),
            );
        }
        if let Some(context) = &self.context {
            check_address(context)?;
            return Ok(Vec::new());
        }
        if self.folder.is_some() {
            return Ok(Vec::new());
        }
        let Some(text) = &self.dockerfile else {
            return Err("`dockerfile` holds the text of the Dockerfile; or name a folder of the run under `folder`, or an address under `context`"
                .to_owned());
        };
        let mut handed = vec![Handed { path: DOCKERFILE.to_owned(), content: text.clone().into_bytes(), mode: 0o644 }];
        for (path, text) in &self.files {
            check_path(path)?;
            let mode = if self.executable.contains(path) { 0o755 } else { 0o644 };
            handed.push(Handed { path: path.clone(), content: text.clone().into_bytes(), mode });
        }
        if let Some(unknown) = self.executable.iter().find(|path| !self.files.contains_key(*path)) {
            return Err(format!("`executable` names {unknown:?}, which is not among `files`"));
        }
        let bytes: usize = handed.iter().map(|file| file.content.len()).sum();
        if handed.len() > MAX_FILES || bytes > MAX_BYTES {
            return Err(format!(
                "a Dockerfile and its files are {MAX_FILES} files and {} MB at most; take larger ones from a `folder` of the run, or let them be fetched: `context`",
                MAX_BYTES >> 20
            ));
        }
        Ok(handed)
    }

    /// Whether the engine itself would fetch something: it does so from the network of the target's machine, where it reaches what
    /// containers and the workflow may not. `dockerfile` is the one of the folder, where it is built from one.
    #[must_use]
    pub fn fetches(&self, dockerfile: Option<&str>) -> bool {
        self.context.is_some() || dockerfile.or(self.dockerfile.as_deref()).is_some_and(dockerfile::fetches)
    }
}

fn check_path(path: &str) -> Result<(), String> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if path.len() > 250 || path.contains(['\\', '\0']) || !path.split('/').all(is_part) {
        return Err(format!("{path:?} is no path of a file beside the Dockerfile: write it as folder/name"));
    }
    if path.eq_ignore_ascii_case(DOCKERFILE) {
        return Err("the Dockerfile is handed over as `dockerfile`, not among `files`".to_owned());
    }
    Ok(())
}

fn check_address(context: &str) -> Result<(), String> {
    let rest = context.strip_prefix("https://").or_else(|| context.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '#', '?']).next().unwrap_or_default());
    let fits = context.len() <= 2000 && context.bytes().all(|byte| byte.is_ascii_graphic());
    match host {
        Some(host) if host.contains('@') => {
            Err("`context` holds a login, which everybody could read: make the address public to the target".to_owned())
        }
        Some(host) if !host.is_empty() && fits => Ok(()),
        _ => Err("`context` is no address: write https://host/repository.git#branch or https://host/archive.tar.gz"
            .to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(asked: Value) -> Result<(Build, Vec<Handed>), String> {
        let build: Build = serde_json::from_value(asked).map_err(|error| error.to_string())?;
        let handed = build.handed()?;
        Ok((build, handed))
    }

    #[test]
    fn files_go_with_the_dockerfile() {
        let (build, handed) = read(json!({
            "dockerfile": "FROM scratch\nCOPY . /\n", "tags": ["app:1"],
            "files": { "a/b.txt": "text", "run.sh": "#!" }, "executable": ["run.sh"],
        }))
        .unwrap();
        let told: Vec<_> = handed.iter().map(|file| (file.path.as_str(), file.content.as_slice(), file.mode)).collect();
        assert_eq!(told[1..], [("a/b.txt", &b"text"[..], 0o644), ("run.sh", b"#!", 0o755)]);
        assert!(!build.fetches(None));
        assert!(read(json!({ "context": "https://h/r.git#main:app", "tags": ["a"] })).unwrap().0.fetches(None));
        let of_folder = read(json!({ "folder": "shop", "tags": ["a"] })).unwrap().0;
        assert!(!of_folder.fetches(Some("FROM a")) && of_folder.fetches(Some("FROM a\nADD http://h/x /")));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let text = "FROM scratch";
        for (asked, said) in [
            (json!({ "dockerfile": text }), "missing field `tags`"),
            (json!({ "dockerfile": text, "tags": [] }), "1 to 20"),
            (json!({ "dockerfile": text, "tags": ["a b"] }), "no name of an image"),
            (json!({ "dockerfile": text, "tags": ["a@sha256:00"] }), "digest"),
            (json!({ "dockerfile": text, "tag": "a", "tags": ["a"] }), "unknown field `tag`"),
            (json!({ "tags": ["a"] }), "`context`"),
            (json!({ "dockerfile": text, "tags": ["a"], "files": { "../x": "" } }), "../x"),
            (json!({ "dockerfile": text, "tags": ["a"], "files": { "/x": "" } }), "/x"),
            (json!({ "dockerfile": text, "tags": ["a"], "files": { "Dockerfile": "" } }), "not among `files`"),
            (json!({ "dockerfile": text, "tags": ["a"], "files": { "x": "y".repeat(MAX_BYTES) } }), "8 MB"),
            (json!({ "dockerfile": text, "tags": ["a"], "executable": ["x"] }), "`executable`"),
            (json!({ "context": "file:///etc", "tags": ["a"] }), "no address"),
            (json!({ "context": "https://me:secret@h/r.git", "tags": ["a"] }), "login"),
            (json!({ "context": "https://h/r.git", "files": { "x": "" }, "tags": ["a"] }), "`files`"),
            (json!({ "folder": "shop", "files": { "x": "" }, "tags": ["a"] }), "`files`"),
            (json!({ "folder": "shop", "context": "https://h/r.git", "tags": ["a"] }), "name one of them"),
        ] {
            let error = read(asked).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
