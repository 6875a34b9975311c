//! Reading workflow files.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use windflow_core::ports::host::Registry;
use windflow_core::problem::{self, Problem};
use windflow_core::workflow::{self, Children, Workflow};

use self::files::Files;
use crate::exit::invalid;

mod files;

/// A file that is longer than any workflow may be is not read to its end.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a text file, bounded. `-` is stdin.
///
/// # Errors
/// Where it cannot be read, is too long, or is no UTF-8.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    if path.is_dir() {
        let example = path.join("workflow.yaml");
        return Err(invalid(format!("{name} is a folder: name a file in it, such as {}", example.display())));
    }
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| invalid(format!("{name}: {error}")))?;
    if length as u64 > MAX_BYTES {
        return Err(invalid(format!("{name}: longer than {} MiB, which no workflow or input may be", MAX_BYTES >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| invalid(format!("{name}: no UTF-8 text: {error}")))
}

/// A document that was read, with all that is wrong with it.
pub(crate) struct Checked {
    pub(crate) text: String,
    pub(crate) workflow: Option<Workflow>,
    /// The workflows that it runs.
    pub(crate) children: Children,
    pub(crate) problems: Vec<Problem>,
}

impl Checked {
    /// Whether it can be run.
    pub(crate) fn is_valid(&self) -> bool {
        self.workflow.is_some() && !self.problems.iter().any(Problem::is_error)
    }

    /// Prints every problem with its line to stderr.
    pub(crate) fn print(&self, path: &Path) {
        if !self.problems.is_empty() {
            crate::render::line(problem::render(&path.display().to_string(), &self.text, &self.problems).trim_end());
        }
    }

    /// The workflow and those that it runs, or an error once all problems are printed.
    pub(crate) fn into_valid(self, path: &Path) -> anyhow::Result<(String, Workflow, Children)> {
        self.print(path);
        let valid = self.is_valid();
        let workflow = self.workflow.filter(|_| valid);
        let count = self.problems.iter().filter(|problem| problem.is_error()).count();
        let workflow = workflow.with_context(String::new).map_err(|_| invalid(summary(path, count)))?;
        Ok((self.text, workflow, self.children))
    }
}

/// One line that sums problems up.
pub(crate) fn summary(path: &Path, errors: usize) -> String {
    format!("{}; nothing was started", counted(path, errors))
}

/// How many problems a file has.
pub(crate) fn counted(path: &Path, errors: usize) -> String {
    format!("{} has {errors} error{}", path.display(), if errors == 1 { "" } else { "s" })
}

/// Reads a document and holds it against itself and the installed node types.
///
/// # Errors
/// Where it cannot be read at all.
pub(crate) fn check(path: &Path, registry: &dyn Registry) -> anyhow::Result<Checked> {
    let text = read(path)?;
    let (workflow, mut problems) = Workflow::parse(&text);
    if let Some(workflow) = &workflow {
        problems.extend(workflow::validate(workflow, registry));
    }
    let mut children = Children::default();
    if let Some(workflow) = &workflow {
        match workflow::resolve_children(workflow, &Files::beside(path), registry) {
            Ok(found) => children = found,
            Err(found) => problems.extend(found),
        }
    }
    problem::sort(&mut problems);
    Ok(Checked { text, workflow, children, problems })
}
