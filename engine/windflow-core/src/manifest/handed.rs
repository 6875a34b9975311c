//! Folders of the run that a configuration names, for a target to get their files.

use serde_json::Value;

use super::RequestedCapabilities;
use crate::expression::{Kind, Template};

/// What is known before the run of the folder that a node hands to a target.
#[derive(Debug, Clone, Copy)]
pub enum Handed<'a> {
    /// It hands none.
    None,
    /// What names it.
    Named(&'a Template),
    /// An expression gives the part of the configuration in which it would be named.
    Unknown,
}

impl RequestedCapabilities {
    /// Whether a configuration names a folder of the run that goes to a target.
    #[must_use]
    pub fn handed<'a>(&self, with: &'a Template) -> Handed<'a> {
        let mut all = self.hands_files.iter().map(|path| named(with, path));
        all.find(|handed| !matches!(handed, Handed::None)).unwrap_or(Handed::None)
    }

    /// The folders that a configuration, evaluated, names. A guest can have no other one handed over.
    #[must_use]
    pub fn folders(&self, config: &Value) -> Vec<String> {
        let at = |path: &String| path.split('.').try_fold(config, |at, key| at.get(key))?.as_str().map(str::to_owned);
        self.hands_files.iter().filter_map(at).collect()
    }
}

fn named<'a>(with: &'a Template, path: &str) -> Handed<'a> {
    let mut at = with;
    for key in path.split('.') {
        match (&at.kind, at.get(key)) {
            (Kind::Expression(_), _) => return Handed::Unknown,
            (_, Some(value)) => at = value,
            (_, None) => return Handed::None,
        }
    }
    if matches!(at.kind, Kind::Literal(Value::Null)) { Handed::None } else { Handed::Named(at) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::place::Place;

    fn asked() -> RequestedCapabilities {
        serde_json::from_value(json!({ "docker": true, "hands_files": ["action.build.folder"] })).unwrap()
    }

    #[test]
    fn what_a_configuration_names_is_known_before_the_run() {
        for (with, expected) in [
            (json!({ "action": { "build": { "folder": "shop" } } }), "named"),
            (json!({ "action": { "build": { "folder": "${{ inputs.folder }}" } } }), "named"),
            (json!({ "action": { "build": { "folder": "a/${{ inputs.folder }}" } } }), "named"),
            (json!({ "action": { "build": "${{ inputs.build }}" } }), "unknown"),
            (json!({ "action": "${{ inputs.action }}" }), "unknown"),
            (json!({ "action": { "build": { "folder": null } } }), "none"),
            (json!({ "action": { "build": { "dockerfile": "FROM a" } } }), "none"),
            (json!({ "action": "start" }), "none"),
            (json!({ "folder": "shop" }), "none"),
        ] {
            let template = Template::from_json(&with, &Place::default()).unwrap();
            let told = match asked().handed(&template) {
                Handed::None => "none",
                Handed::Named(_) => "named",
                Handed::Unknown => "unknown",
            };
            assert_eq!(told, expected, "{with}");
            let nothing = RequestedCapabilities::default();
            assert!(matches!(nothing.handed(&template), Handed::None), "{with}");
        }
    }

    #[test]
    fn no_other_folder_is_named() {
        let config = json!({ "action": { "build": { "folder": "shop" } } });
        assert_eq!(asked().folders(&config), ["shop"]);
        assert_eq!(RequestedCapabilities::default().folders(&config), [""; 0]);
        for none in
            [json!({ "folder": "shop" }), json!({ "action": { "build": { "folder": ["shop"] } } }), json!("shop")]
        {
            assert_eq!(asked().folders(&none), [""; 0], "{none}");
        }
    }
}
