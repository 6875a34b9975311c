//! The files of a template, and what they may be at most.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;
use windflow_core::problem::Problem;

/// The files of a template by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files of a package at most.
pub const MAX_FILES: usize = 200;
/// All files of a package together at most.
pub const MAX_UNPACKED: usize = 8 << 20;

/// The files that a template may have, its document apart. What else lies in its folder is no part of it.
pub const KNOWN: [&str; 8] = [
    "template.yaml",
    "compose.yaml",
    "workflow.yaml",
    "README.md",
    "README.fr.md",
    "CHANGELOG.md",
    "icon.svg",
    "preview.svg",
];

/// Something that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In which of its files.
    pub file: String,
    /// What.
    #[serde(flatten)]
    pub problem: Problem,
}

impl Fault {
    pub(crate) fn of(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), problem }
    }

    /// Whether the template cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.problem.is_error()
    }
}

/// Reads the files of a folder that a template may have. A file that is larger than a package is not read to its end.
///
/// # Errors
/// Where the folder cannot be read.
pub fn from_folder(folder: &Path) -> io::Result<Files> {
    use io::Read as _;
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "this is no folder"));
    }
    let mut files = Files::new();
    for name in KNOWN {
        let path = folder.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {
                let mut bytes = Vec::new();
                std::fs::File::open(&path)?.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut bytes)?;
                files.insert(name.to_owned(), bytes);
            }
            Ok(_) => {
                let why = format!("{name} is no ordinary file, and links are not followed");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}
