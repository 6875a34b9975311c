//! A template: its folder read and judged, every problem told at once.

use serde::Serialize;
use windflow_core::id::Digest;
use windflow_core::manifest::Text;
use windflow_core::problem::Problem;

use crate::contents::{self, Contents};
use crate::files::{Fault, Files, KNOWN};
use crate::manifest::{self, Kind, Manifest};
use crate::{package, picture};

/// Longest README or changelog.
pub(crate) const MAX_TEXT: usize = 128 << 10;

/// A template whose files were read.
#[derive(Debug, Clone, Serialize)]
pub struct Template {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its Compose document, or the text of its workflow.
    pub text: String,
    /// What is in it.
    pub contents: Contents,
    /// What to know before installing it, in Markdown.
    pub readme: Text,
    /// What changed from version to version, in Markdown.
    pub changelog: String,
    /// SVG.
    pub icon: Option<String>,
    /// SVG.
    pub preview: Option<String>,
}

/// Reads a package.
///
/// # Errors
/// Everything that is wrong with it.
pub fn from_package(bytes: &[u8]) -> Result<Template, Vec<Fault>> {
    let refused = |error: package::BadPackage| vec![Fault::of("", Problem::document("bad_package", error.to_string()))];
    let files = package::unpack(bytes, package::TEMPLATE).map_err(refused)?;
    let (template, mut faults) = read(&files);
    match template {
        Some(template) if !faults.iter().any(Fault::is_error) => Ok(template),
        _ => {
            faults.retain(Fault::is_error);
            Err(faults)
        }
    }
}

/// Reads the files of a template. It is given where nothing keeps it from being used; warnings do not.
#[must_use]
pub fn read(files: &Files) -> (Option<Template>, Vec<Fault>) {
    let mut reading = Reading { files, faults: Vec::new() };
    let template = reading.template();
    let faults = reading.faults;
    (template.filter(|_| !faults.iter().any(Fault::is_error)), faults)
}

struct Reading<'a> {
    files: &'a Files,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn tell(&mut self, file: &str, problem: Problem) {
        self.faults.push(Fault::of(file, problem));
    }

    fn missing(&mut self, file: &str) {
        let problem = Problem::document("missing_file", format!("the template has no {file}"));
        let remedy = match file {
            "template.yaml" => "is it the folder of a template? `windflow templates new NAME` begins one".to_owned(),
            _ => format!("add a file {file} beside template.yaml"),
        };
        self.tell(file, problem.remedy(remedy));
    }

    /// The text of a file, where there is one.
    fn text(&mut self, file: &str, most: usize) -> Option<String> {
        let bytes = self.files.get(file)?;
        let told = if bytes.len() > most {
            format!("it has {} KiB at most", most >> 10)
        } else if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(text.to_owned());
        } else {
            "it is no UTF-8 text".to_owned()
        };
        self.tell(file, Problem::document("invalid_text", told));
        None
    }

    fn needed(&mut self, file: &str) -> Option<String> {
        if !self.files.contains_key(file) {
            self.missing(file);
            return None;
        }
        self.text(file, MAX_TEXT)
    }

    fn template(&mut self) -> Option<Template> {
        for name in self.files.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
            let problem = Problem::document("unknown_file", "a template has no such file");
            let remedy = format!("its files are {}", windflow_core::problem::list(KNOWN));
            self.faults.push(Fault::of(name, problem.remedy(remedy)));
        }
        let manifest = self.needed("template.yaml").and_then(|text| {
            let (manifest, problems) = manifest::read(&text);
            problems.into_iter().for_each(|problem| self.tell("template.yaml", problem));
            manifest
        });
        let english = self.needed("README.md");
        let french = self.needed("README.fr.md");
        let changelog = self.needed("CHANGELOG.md");
        let icon = self.picture("icon.svg");
        let preview = self.picture("preview.svg");
        let manifest = manifest?;
        let document = self.document(&manifest);
        if let Some(changelog) = &changelog {
            self.changelog(&manifest, changelog);
        }
        let (text, contents) = document?;
        let readme = [("en", english?), ("fr", french?)].map(|(language, text)| (language.to_owned(), text));
        Some(Template { manifest, text, contents, readme: Text(readme.into()), changelog: changelog?, icon, preview })
    }

    fn document(&mut self, manifest: &Manifest) -> Option<(String, Contents)> {
        let file = manifest.kind.document();
        let text = self.needed_document(file)?;
        let (contents, problems) = match manifest.kind {
            Kind::Stack => contents::of_stack(&text, &manifest.name),
            Kind::Workflow => contents::of_workflow(&text),
        };
        problems.into_iter().for_each(|problem| self.tell(file, problem));
        Some((text, contents))
    }

    fn needed_document(&mut self, file: &str) -> Option<String> {
        if !self.files.contains_key(file) {
            self.missing(file);
            return None;
        }
        self.text(file, windflow_stacks::compose::MAX_BYTES)
    }

    fn picture(&mut self, file: &str) -> Option<String> {
        let bytes = self.files.get(file)?;
        let problems = picture::check(bytes);
        let good = problems.is_empty();
        problems.into_iter().for_each(|problem| self.tell(file, problem));
        good.then(|| String::from_utf8(bytes.clone()).ok()).flatten()
    }

    fn changelog(&mut self, manifest: &Manifest, text: &str) {
        let version = manifest.version.to_string();
        let is_of = |line: &str| {
            line.strip_prefix("## ").is_some_and(|title| title.split([' ', '—']).next() == Some(version.as_str()))
        };
        if !text.lines().any(is_of) {
            let problem = Problem::document("no_changes", format!("it does not say what changed in {version}"));
            self.tell("CHANGELOG.md", problem.remedy(format!("write it under a heading `## {version}`")));
        }
    }
}

impl Template {
    /// Its digest, as a registry has it for its package.
    #[must_use]
    pub fn digest(package: &[u8]) -> String {
        Digest::of(package).to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests;
