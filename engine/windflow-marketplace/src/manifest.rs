//! `template.yaml`: what a template says of itself.

use std::sync::OnceLock;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use windflow_core::manifest::Text;
use windflow_core::place::Place;
use windflow_core::problem::{Problem, did_you_mean, list};
use windflow_core::schema::Checker;
use windflow_core::yaml::{self, Kind as NodeKind, Limits, Node};

/// The schema of `template.yaml`. It is what is checked against, and what editors are given.
pub const SCHEMA: &str = include_str!("../../../marketplace/schema/template.schema.json");

/// Longest `template.yaml`.
const MAX_BYTES: usize = 64 << 10;

/// What a template is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A stack.
    Stack,
    /// A workflow.
    Workflow,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Workflow => "workflow",
        }
    }

    /// The file that is the template's document.
    #[must_use]
    pub fn document(self) -> &'static str {
        match self {
            Self::Stack => "compose.yaml",
            Self::Workflow => "workflow.yaml",
        }
    }
}

/// Where people look for a template.
pub const CATEGORIES: [&str; 15] = [
    "analytics",
    "automation",
    "communication",
    "content",
    "data",
    "databases",
    "development",
    "files",
    "media",
    "messaging",
    "monitoring",
    "networking",
    "productivity",
    "security",
    "web",
];

/// What the machine has to have for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// Cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Memory, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// Room on the disk, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_mb: Option<u64>,
}

/// What a template says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format: 1.
    pub template: u32,
    /// Its name, which is that of its folder.
    pub name: String,
    /// What it is of.
    pub kind: Kind,
    /// Its version.
    pub version: Version,
    /// What it is called, in English and French.
    pub title: Text,
    /// What it is, in a sentence.
    pub summary: Text,
    /// One of [`CATEGORIES`].
    pub category: String,
    /// Further words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// SPDX expression of what is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Who looks after it.
    #[serde(default)]
    pub maintainers: Vec<String>,
    /// What the machine has to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Requirements>,
}

/// Whether a text can be the name of a template.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn schema() -> Option<&'static (Value, Checker)> {
    static SCHEMA_ONCE: OnceLock<Option<(Value, Checker)>> = OnceLock::new();
    // That it is a schema is what the tests make sure of.
    let make = || {
        let schema = serde_json::from_str(SCHEMA).ok()?;
        let checker = Checker::new(&schema).ok()?;
        Some((schema, checker))
    };
    SCHEMA_ONCE.get_or_init(make).as_ref()
}

/// Reads a `template.yaml`. Everything that is wrong with it is told at once.
#[must_use]
pub fn read(text: &str) -> (Option<Manifest>, Vec<Problem>) {
    let limits = Limits { bytes: MAX_BYTES, depth: 8, nodes: 1000, ..Limits::default() };
    let (node, mut problems) = yaml::parse(text, limits);
    let Some(node) = node else { return (None, problems) };
    check(&node, &mut problems);
    if problems.iter().any(Problem::is_error) {
        windflow_core::problem::sort(&mut problems);
        return (None, problems);
    }
    match serde_json::from_value(node.to_json()) {
        Ok(manifest) => (Some(manifest), problems),
        Err(error) => {
            problems.push(Problem::document("invalid_template", error.to_string()));
            (None, problems)
        }
    }
}

/// Whether what came as JSON is what `template.yaml` may say.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_json(value: &Value) -> Result<(), String> {
    let Some((_, checker)) = schema() else { return Err("the schema of templates cannot be read".to_owned()) };
    checker.check(value).map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())
}

fn check(node: &Node, problems: &mut Vec<Problem>) {
    let Some((schema, checker)) = schema() else {
        problems.push(Problem::document("schema", "the schema of templates cannot be read"));
        return;
    };
    let mut json = node.to_json();
    // What is unknown is told with the nearest spelling, which no schema can.
    if let (NodeKind::Map(entries), Some(known), Value::Object(fields)) =
        (&node.kind, schema["properties"].as_object(), &mut json)
    {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains_key(&key.value)) {
            fields.remove(&key.value);
            let names = || known.keys().map(String::as_str);
            let remedy = did_you_mean(&key.value, names()).unwrap_or_else(|| format!("its keys are {}", list(names())));
            let message = format!("`{}` is unknown here", key.value);
            problems.push(Problem::error("unknown_key", &key.place, message).remedy(remedy));
        }
    }
    for error in checker.check(&json).err().into_iter().flatten() {
        let (place, path) = find(node, &error.path);
        let at = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
        let problem = Problem::error("invalid_template", &place, format!("{at}{}", error.message));
        problems.push(problem.remedy_if(remedy(&path).map(str::to_owned)));
    }
    if let Some(version) = json["version"].as_str()
        && let Err(error) = Version::parse(version)
    {
        let (place, _) = find(node, "/version");
        let message = format!("`version`: {version:?} is no version: {error}");
        problems.push(Problem::error("invalid_version", &place, message).remedy("write it as 1.0.0"));
    }
}

fn remedy(path: &str) -> Option<&'static str> {
    let first = path.split('.').next().unwrap_or_default();
    Some(match first {
        "name" => "a-z, 0-9 and -, 64 at most, and the same as the folder",
        "kind" => "write `stack` or `workflow`",
        "title" => "write { en: …, fr: … }, 80 characters at most each",
        "summary" => "write { en: …, fr: … }, 200 characters at most each",
        "category" => {
            "one of analytics, automation, communication, content, data, databases, development, files, media, messaging, \
             monitoring, networking, productivity, security, web"
        }
        "tags" => "12 at most, each of a-z, 0-9 and -",
        "homepage" => "an address that begins with https://",
        "requirements" => "write { cpu: 1, memory_mb: 1024, disk_mb: 2048 }",
        _ => return None,
    })
}

/// The place that a JSON Pointer leads to, and the way there in dots.
fn find(node: &Node, pointer: &str) -> (Place, String) {
    let (mut at, mut path) = (node, Vec::new());
    for step in pointer.split('/').skip(1) {
        let next = match &at.kind {
            NodeKind::Map(entries) => entries.iter().find(|(key, _)| key.value == step).map(|(_, value)| value),
            NodeKind::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            NodeKind::Scalar(_) => None,
        };
        path.push(step);
        let Some(next) = next else { break };
        at = next;
    }
    (at.place.clone(), path.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const GOOD: &str = "template: 1\nname: wordpress-mysql\nkind: stack\nversion: 1.0.0\ntitle: { en: WordPress, fr: WordPress }\n\
        summary: { en: A blog, fr: Un blog }\ncategory: content\ntags: [cms, blog]\nlicense: GPL-2.0-or-later\n\
        homepage: https://wordpress.org\nmaintainers: [WindFlow]\nrequirements: { cpu: 1, memory_mb: 1024 }\n";

    #[test]
    fn a_good_one_is_read() {
        let (manifest, problems) = read(GOOD);
        assert!(problems.is_empty(), "{problems:?}");
        let manifest = manifest.unwrap();
        assert_eq!((&*manifest.name, manifest.kind), ("wordpress-mysql", Kind::Stack));
        assert_eq!(manifest.title.get("fr"), "WordPress");
        assert!(check_json(&serde_json::to_value(&manifest).unwrap()).is_ok());
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let bad = GOOD
            .replace("name: wordpress-mysql", "name: Word Press")
            .replace("version: 1.0.0", "version: one")
            .replace("category: content", "category: stuff")
            .replace("tags:", "tagss:")
            .replace("homepage: https://", "homepage: javascript://")
            .replace(", fr: Un blog", "");
        let (manifest, problems) = read(&bad);
        assert_eq!(manifest, None);
        let found: Vec<_> = problems.iter().map(|problem| (problem.place.line, problem.code)).collect();
        let expect = [
            (2, "invalid_template"),
            (4, "invalid_version"),
            (6, "invalid_template"),
            (7, "invalid_template"),
            (8, "unknown_key"),
            (10, "invalid_template"),
        ];
        assert_eq!(found, expect, "{problems:#?}");
        assert!(problems[4].remedy.as_ref().unwrap().contains("`tags`"));
    }

    #[test]
    fn the_schema_has_the_same_categories() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["properties"]["category"]["enum"], serde_json::json!(CATEGORIES));
    }
}
