//! A template made of a stack or a workflow that is kept. Of one that is there already, only what is said anew changes with the next
//! version: texts and drawings stay, and the changelog grows.

use serde_json::{Map, Value, json};

use crate::files::Files;
use crate::manifest::{self, Kind};
use crate::package::{self, BadPackage};
use crate::template::MAX_TEXT;

/// What a template is made of.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its document.
    pub text: String,
    /// What it says of itself; it may say nothing.
    pub description: String,
}

/// What whoever publishes it says of it. Everything may be left out.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Fields of `template.yaml`.
    pub about: Map<String, Value>,
    /// Markdown, in English.
    pub readme: Option<String>,
    /// Markdown, in French.
    pub readme_fr: Option<String>,
    /// What changed in this version, in Markdown.
    pub changes: Option<String>,
    /// The whole changelog, in place of the one before and of `changes`.
    pub changelog: Option<String>,
    /// SVG.
    pub icon: Option<String>,
    /// SVG.
    pub preview: Option<String>,
}

impl Said {
    /// What the template of a source is called.
    #[must_use]
    pub fn name(&self, source: &Source) -> String {
        let said = self.about.get("name").and_then(Value::as_str);
        said.map_or_else(|| source.name.replace('_', "-").to_ascii_lowercase(), str::to_owned)
    }
}

/// The files of the version before, where it was of the same kind: those of a package.
///
/// # Errors
/// Where it cannot be unpacked.
pub fn before(package: &[u8], kind: Kind) -> Result<Option<Files>, BadPackage> {
    let files = package::unpack(package, package::TEMPLATE)?;
    Ok(Some(files).filter(|files| files.contains_key(kind.document())))
}

/// The files of a template. They are judged like those of any other.
///
/// # Errors
/// Where the fields of `template.yaml` cannot be written.
pub fn files(source: Source, said: Said, before: Option<Files>) -> Result<Files, serde_json::Error> {
    let name = said.name(&source);
    let mut files = before.unwrap_or_default();
    let mut manifest = fields_before(&files)?;
    let is_first = manifest.is_empty();
    manifest.extend(said.about);
    manifest.insert("template".to_owned(), json!(1));
    manifest.insert("kind".to_owned(), json!(source.kind.word()));
    let mut unless_said = |field: &str, value: Value| {
        manifest.entry(field).or_insert(value);
    };
    unless_said("title", json!({ "en": name, "fr": name }));
    unless_said("name", json!(name));
    if is_first {
        unless_said("version", json!("1.0.0"));
    }
    if !source.description.trim().is_empty() {
        let short: String = source.description.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = short.chars().take(200).collect();
        unless_said("summary", json!({ "en": short, "fr": short }));
    }
    unless_said("category", json!(if source.kind == Kind::Stack { "web" } else { "automation" }));

    let mut put = |file: &str, text: Option<String>| {
        files.extend(text.map(|text| (file.to_owned(), text.into_bytes())));
    };
    put(source.kind.document(), Some(source.text));
    put("README.md", said.readme);
    put("README.fr.md", said.readme_fr);
    put("icon.svg", said.icon);
    put("preview.svg", said.preview);
    for (file, language) in [("README.md", "en"), ("README.fr.md", "fr")] {
        let word = |field: &str| manifest.get(field).and_then(|text| text[language].as_str()).unwrap_or_default();
        let plain = || format!("# {}\n\n{}\n", word("title"), word("summary")).into_bytes();
        files.entry(file.to_owned()).or_insert_with(plain);
    }
    let version = manifest.get("version").and_then(Value::as_str).unwrap_or_default();
    let text = said.changelog.unwrap_or_else(|| {
        let before = files.get("CHANGELOG.md").and_then(|bytes| std::str::from_utf8(bytes).ok());
        changelog(before, version, said.changes.as_deref().unwrap_or_default())
    });
    files.insert("CHANGELOG.md".to_owned(), text.into_bytes());
    // JSON is YAML.
    files.insert("template.yaml".to_owned(), serde_json::to_vec_pretty(&manifest)?);
    Ok(files)
}

/// What the version before says of itself. Each version has a number of its own, so that one is left out.
fn fields_before(files: &Files) -> Result<Map<String, Value>, serde_json::Error> {
    let text = files.get("template.yaml").and_then(|bytes| std::str::from_utf8(bytes).ok());
    let Some(manifest) = text.and_then(|text| manifest::read(text).0) else { return Ok(Map::new()) };
    let Value::Object(mut fields) = serde_json::to_value(manifest)? else { return Ok(Map::new()) };
    fields.remove("version");
    Ok(fields)
}

/// The changelog with a further version at its top. What became too long begins anew.
fn changelog(before: Option<&str>, version: &str, changes: &str) -> String {
    let changes = changes.trim();
    let entry = format!("## {version}\n\n{}\n", if changes.is_empty() { "Published." } else { changes });
    let Some(before) = before.filter(|text| text.len() + entry.len() < MAX_TEXT) else {
        return format!("# Changes\n\n{entry}");
    };
    let mut at = 0;
    for line in before.split_inclusive('\n') {
        if line.starts_with("## ") {
            return format!("{}{entry}\n{}", &before[..at], &before[at..]);
        }
        at += line.len();
    }
    format!("{}\n\n{entry}", before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template;
    use crate::template::tests::shop;

    fn source(image: &str) -> Source {
        let text = format!("services:\n  web:\n    image: {image}\n");
        Source { kind: Kind::Stack, name: "our_shop".into(), text, description: " Sells\n shoes ".into() }
    }

    fn said(about: Value) -> Said {
        let Value::Object(about) = about else { panic!("{about}") };
        Said { about, ..Said::default() }
    }

    fn text<'a>(files: &'a Files, name: &str) -> &'a str {
        std::str::from_utf8(&files[name]).unwrap()
    }

    #[test]
    fn nothing_has_to_be_said_of_a_stack_that_says_what_it_is() {
        let files = files(source("nginx:1.29.3"), Said::default(), None).unwrap();
        let (template, faults) = template::read(&files);
        let manifest = template.unwrap_or_else(|| panic!("{faults:?}")).manifest;
        assert_eq!((&*manifest.name, manifest.version.to_string().as_str()), ("our-shop", "1.0.0"));
        assert_eq!((manifest.title.get("fr"), manifest.summary.get("en")), ("our-shop", "Sells shoes"));
        assert_eq!(manifest.category, "web");
        assert_eq!(text(&files, "README.fr.md"), "# our-shop\n\nSells shoes\n");
    }

    #[test]
    fn the_next_version_keeps_what_is_not_said_anew() {
        let packed = package::pack(&shop(), package::TEMPLATE).unwrap();
        let kept = before(&packed, Kind::Stack).unwrap();
        let wanted =
            Said { changes: Some("A newer nginx.".into()), ..said(json!({ "name": "shop", "version": "1.3.0" })) };
        let files = files(source("nginx:1.29.4"), wanted, kept).unwrap();
        let (template, faults) = template::read(&files);
        let template = template.unwrap_or_else(|| panic!("{faults:?}"));
        assert_eq!((template.manifest.title.get("fr"), template.manifest.version.minor), ("Boutique", 3));
        assert_eq!(template.changelog, "# Changes\n\n## 1.3.0\n\nA newer nginx.\n\n## 1.2.0\n\nFirst.\n");
        assert!(template.icon.is_some() && template.readme.get("en") == "# Shop\n");
        assert!(template.text.contains("1.29.4"));
    }

    /// A version that nobody gave a number is none.
    #[test]
    fn each_further_version_has_to_have_a_number() {
        let files = files(source("nginx:1.29.4"), said(json!({ "name": "shop" })), Some(shop())).unwrap();
        let (template, faults) = template::read(&files);
        assert!(
            template.is_none() && faults.iter().any(|fault| fault.problem.message.contains("version")),
            "{faults:?}"
        );
    }

    #[test]
    fn a_template_of_another_kind_is_no_version_before() {
        let packed = package::pack(&shop(), package::TEMPLATE).unwrap();
        assert_eq!(before(&packed, Kind::Workflow).unwrap(), None);
        assert!(before(b"x", Kind::Stack).is_err());
    }

    #[test]
    fn a_changelog_grows_at_its_top_and_never_beyond_what_one_may_have() {
        assert_eq!(changelog(None, "1.0.0", ""), "# Changes\n\n## 1.0.0\n\nPublished.\n");
        assert_eq!(changelog(Some("# Log\n"), "1.0.0", "x"), "# Log\n\n## 1.0.0\n\nx\n");
        assert_eq!(changelog(Some("## 1.0.0\n"), "1.1.0", "x"), "## 1.1.0\n\nx\n\n## 1.0.0\n");
        assert!(changelog(Some(&"é\n".repeat(MAX_TEXT / 3)), "1.1.0", "x").len() < 100);
    }
}
