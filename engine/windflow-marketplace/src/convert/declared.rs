//! Variables that were found, and their declarations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A variable that was found in something else.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    /// `port`, `password`, `image_tag`, `choice`, `domain` or `string`.
    pub(super) kind: &'static str,
    pub(super) default: Option<String>,
    pub(super) description: Option<String>,
    pub(super) choices: Vec<String>,
}

/// All that were found, by name.
#[derive(Debug, Default)]
pub(super) struct Variables(pub(super) BTreeMap<String, Found>);

impl Variables {
    /// Adds one under a name that nobody else has, or that has the same; the name.
    pub(super) fn add(&mut self, wanted: &str, found: Found) -> String {
        let mut name = wanted.to_owned();
        for number in 2..100 {
            match self.0.get(&name) {
                Some(known) if *known != found => name = format!("{wanted}_{number}"),
                _ => break,
            }
        }
        self.0.insert(name.clone(), found);
        name
    }

    /// The declarations, as a part of a document.
    pub(super) fn declarations(&self) -> Value {
        let declaration = |found: &Found| {
            let mut fields = json!({ "type": if found.kind.is_empty() { "string" } else { found.kind } });
            if let Some(default) = &found.default {
                fields["default"] = json!(default);
            }
            if !found.choices.is_empty() {
                fields["choices"] = json!(found.choices);
            }
            if let Some(description) = &found.description {
                fields["description"] = json!(description);
            }
            fields
        };
        self.0.iter().map(|(name, found)| (name.clone(), declaration(found))).collect()
    }

    /// The declarations as lines at the end of a document.
    pub(super) fn appendix(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let Value::Object(all) = self.declarations() else { return String::new() };
        let lines: String = all.iter().map(|(name, fields)| format!("    {name}: {fields}\n")).collect();
        format!("\nx-windflow:\n  variables:\n{lines}")
    }
}

/// A text as the name of a variable.
pub(super) fn name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars().take(60).map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { format!("V_{name}") } else { name }
}

/// Whether what is called so is kept secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "PRIVATE_KEY", "ENCRYPTION_KEY"]
        .iter()
        .any(|word| name.contains(word))
        || name.ends_with("_PASS")
        || name == "PASS"
}

/// What a variable is, as far as its name and default tell.
pub(super) fn guess(name: &str, default: Option<&str>) -> &'static str {
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    if is_secret(name) && !name.to_ascii_uppercase().ends_with("_FILE") {
        "password"
    } else if name.to_ascii_uppercase().ends_with("PORT") && default.is_none_or(is_port) {
        "port"
    } else {
        "string"
    }
}
