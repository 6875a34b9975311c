//! In from elsewhere: plain Compose files, Portainer's app templates, CapRover's one-click apps. What comes out is a draft: a Compose
//! document with declared variables, and what is known for its `template.yaml`. What cannot be taken over is told, with the reason.

use serde::Serialize;
use serde_json::{Map, Value};
use windflow_core::problem::Problem;

use crate::contents::{self, Contents};
use crate::manifest::is_name;

mod caprover;
mod compose;
mod declared;
mod emit;
mod portainer;

/// Longest text that is converted.
pub const MAX_BYTES: usize = 1 << 20;
/// Templates that come out of one text at most.
const MAX_DRAFTS: usize = 500;

/// Risks that people confirm when they install it: what a stack gets of its machine is named. Whatever else one could do is unsafe.
const CONFIRMED: [&str; 2] = ["host_path", "device"];

/// Where a text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A Compose file.
    Compose,
    /// A list of app templates, versions 2 and 3.
    Portainer,
    /// A one-click app, version 4.
    Caprover,
}

/// A template that was made of something else. It wants a second look.
#[derive(Debug, Clone, Serialize)]
pub struct Draft {
    /// What is known for its `template.yaml`.
    pub template: Map<String, Value>,
    /// The Compose document.
    pub text: String,
    /// What is in it.
    pub contents: Contents,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Draft {
    /// Whether its document is a stack at all: what else is wrong with it is mended in the draft.
    #[must_use]
    pub fn is_stack(&self) -> bool {
        !self.contents.services.is_empty()
    }
}

/// Something that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What: a template, or a part of one.
    pub what: String,
    /// Stable: `malformed`, `unsafe`, `unknown`, `unsupported`, `remote`.
    pub code: &'static str,
    /// Why.
    pub why: String,
}

/// What came of a text.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Converted {
    /// The templates.
    pub drafts: Vec<Draft>,
    /// What was not taken over.
    pub refused: Vec<Refused>,
}

/// A value as YAML that people like to read.
#[must_use]
pub fn yaml(value: &Value) -> String {
    emit::yaml(value)
}

/// Converts a text.
#[must_use]
pub fn convert(from: From, text: &str) -> Converted {
    let mut converted = Converted::default();
    if text.len() > MAX_BYTES {
        converted.refuse("the text", "malformed", format!("it is longer than {} KiB", MAX_BYTES >> 10));
        return converted;
    }
    match from {
        From::Compose => compose::convert(text, &mut converted),
        From::Portainer => portainer::convert(text, &mut converted),
        From::Caprover => caprover::convert(text, &mut converted),
    }
    converted
}

impl Converted {
    fn refuse(&mut self, what: impl Into<String>, code: &'static str, why: impl Into<String>) {
        // However much is wrong with it: nobody reads more.
        if self.refused.len() < MAX_DRAFTS {
            self.refused.push(Refused { what: what.into(), code, why: why.into() });
        }
    }

    /// Adds a draft of a stranger's document, unless it could do everything on the target's machine.
    fn draft_of_stranger(&mut self, about: About, text: String) {
        let title = about.title.clone();
        let count = self.drafts.len();
        self.draft(about, text);
        let Some(draft) = self.drafts.get(count) else { return };
        let unsafe_one = draft.contents.risks.iter().find(|risk| !CONFIRMED.contains(&risk.code));
        if let Some(why) = unsafe_one.map(ToString::to_string) {
            self.drafts.truncate(count);
            self.refuse(title, "unsafe", why);
        }
    }

    /// Adds a draft. Problems with its document are told with it.
    fn draft(&mut self, about: About, text: String) {
        if self.drafts.len() == MAX_DRAFTS {
            self.refuse(about.title, "unsupported", format!("{MAX_DRAFTS} templates are converted at once at most"));
            return;
        }
        let template = about.manifest();
        let name = template.get("name").and_then(Value::as_str).unwrap_or("template").to_owned();
        let (contents, problems) = contents::of_stack(&text, &name);
        self.drafts.push(Draft { template, text, contents, problems });
    }
}

/// What is known of a template beside its document.
#[derive(Debug, Default)]
struct About {
    title: String,
    summary: String,
    homepage: Option<String>,
    tags: Vec<String>,
}

impl About {
    /// The fields of `template.yaml`. What only a person knows is filled in so that it is seen.
    fn manifest(&self) -> Map<String, Value> {
        let short = |text: &str, most: usize| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            line.chars().take(most).collect::<String>()
        };
        let title = short(if self.title.is_empty() { "Template" } else { &self.title }, 80);
        let summary = short(if self.summary.is_empty() { &title } else { &self.summary }, 200);
        let tags: Vec<String> = self.tags.iter().map(|tag| slug(tag, 32)).filter(|tag| is_name(tag)).take(12).collect();
        let mut fields = Map::new();
        let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
        put("template", 1.into());
        put("name", slug(&self.title, 64).into());
        put("kind", "stack".into());
        put("version", "1.0.0".into());
        put("title", serde_json::json!({ "en": title, "fr": title }));
        put("summary", serde_json::json!({ "en": summary, "fr": summary }));
        put("category", "web".into());
        put("tags", tags.into());
        if let Some(homepage) = self.homepage.as_ref().filter(|homepage| homepage.starts_with("https://")) {
            put("homepage", homepage.as_str().into());
        }
        fields
    }
}

/// A text as a name: a-z, 0-9 and -.
fn slug(text: &str, most: usize) -> String {
    let words: Vec<String> = crate::shelf::words::of(text)
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join("-").chars().take(most).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "template".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
