//! Workflows in files that a workflow runs: by their file, or by the name that they have.

use std::path::{Component, Path, PathBuf};

use windflow_core::problem::{did_you_mean, list};
use windflow_core::workflow::{ChildName, Documents, FoundDocument};
use windflow_core::yaml;

use super::read;

/// So many files are looked into for a workflow of a name.
const MAX_LOOKED_AT: usize = 1000;

/// Workflows in files. Their names are relative to the file that names them.
pub(super) struct Files {
    /// Where the first document lies.
    folder: PathBuf,
    /// Its own name.
    file: PathBuf,
}

impl Files {
    pub(super) fn beside(document: &Path) -> Self {
        let file = document.file_name().map(PathBuf::from).unwrap_or_default();
        Self { folder: document.parent().unwrap_or(Path::new("")).to_owned(), file }
    }

    fn found(&self, relative: &Path) -> Result<FoundDocument, String> {
        let text = read(&self.folder.join(relative)).map_err(|error| error.to_string())?;
        Ok(FoundDocument { location: relative.display().to_string(), text })
    }

    /// The file beside one that is not there that was perhaps meant.
    fn like(&self, missing: &Path) -> Option<String> {
        if self.folder.join(missing).exists() {
            return None;
        }
        let name = |file: &Path| file.file_name().map(|name| name.to_string_lossy().into_owned());
        let beside = candidates(&self.folder, missing.parent()?);
        let known: Vec<_> = beside.iter().take(MAX_LOOKED_AT).filter_map(|file| name(file)).collect();
        did_you_mean(&name(missing)?, known.iter().map(String::as_str))
    }

    /// The workflow of that name among the files beside the one that names it, and below the folders that are beside it; a file
    /// that is called as the workflow is looked at first.
    fn named(&self, location: &str, name: &str) -> Result<FoundDocument, String> {
        let from = if location.is_empty() { &self.file } else { Path::new(location) };
        let mut files = candidates(&self.folder, from.parent().unwrap_or(Path::new("")));
        // A workflow in a folder of its own has its neighbours one folder up.
        if from.file_name().is_some_and(|file| file == "workflow.yaml") {
            let up = plain(&from.parent().unwrap_or(Path::new("")).join(".."));
            files.extend(candidates(&self.folder, &up).into_iter().filter(|file| file.ends_with("workflow.yaml")));
        }
        files.sort_by_key(|file| !is_called(file, name));
        let mut known = Vec::new();
        for file in files.iter().take(MAX_LOOKED_AT) {
            // What cannot be read is told where somebody names it.
            let Ok(found) = self.found(file) else { continue };
            match name_in(&found.text) {
                Some(this) if this == name => return Ok(found),
                Some(this) => known.push(this),
                None => {}
            }
        }
        known.sort();
        known.dedup();
        let known = known.iter().map(String::as_str);
        let hint = did_you_mean(name, known.clone()).unwrap_or_else(|| match known.len() {
            0 => "there is no other workflow there: name a file, as in `file: ./other.yaml`".to_owned(),
            _ => format!("there are {}", list(known)),
        });
        Err(format!("no file beside this one is a workflow `{name}`; {hint}"))
    }
}

impl Documents for Files {
    fn find(&self, location: &str, name: &ChildName) -> Result<FoundDocument, String> {
        match name {
            ChildName::Name(name) => self.named(location, name),
            // The same file has the same place, however often `./` leads to it.
            ChildName::File(file) => {
                let folder = Path::new(location).parent().unwrap_or(Path::new(""));
                let plain =
                    folder.join(file).components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
                self.found(&plain).map_err(|error| match self.like(&plain) {
                    Some(hint) => format!("{error}; {hint}"),
                    None => error,
                })
            }
        }
    }
}

/// A path without the folders that it only goes through, so that those who run each other in a circle come to the same path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => drop(plain.pop()),
            (Component::CurDir, _) => {}
            (part, _) => plain.push(part),
        }
    }
    plain
}

/// Files of a folder that may hold workflows, and the `workflow.yaml` of the folders in it.
fn candidates(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let at = root.join(folder);
    let at = if at.as_os_str().is_empty() { Path::new(".") } else { &at };
    let Ok(entries) = std::fs::read_dir(at) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .take(10 * MAX_LOOKED_AT)
        .filter_map(|entry| {
            let path = folder.join(entry.file_name());
            if path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml") {
                return Some(path);
            }
            let inner = path.join("workflow.yaml");
            root.join(&inner).is_file().then_some(inner)
        })
        .collect();
    files.sort();
    files
}

/// Whether a file, or the folder that it is alone in, is called as a workflow is.
fn is_called(file: &Path, name: &str) -> bool {
    let is_name = |part: Option<&std::ffi::OsStr>| part.is_some_and(|part| part == name);
    is_name(file.file_stem()) || (file.ends_with("workflow.yaml") && is_name(file.parent().and_then(Path::file_name)))
}

/// The name of the workflow that a text is, where it is one.
fn name_in(text: &str) -> Option<String> {
    // Most files of a folder are something else, and are not read for that.
    if !text.contains("windflow:") {
        return None;
    }
    let root = yaml::parse(text, yaml::Limits::default()).0?;
    let yaml::Kind::Map(entries) = &root.kind else { return None };
    let get = |key: &str| entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value);
    get("windflow")?;
    get("name")?.as_str().map(str::to_owned)
}
