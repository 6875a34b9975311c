//! What people read of the built-in plugins is there in both languages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::path::Path;

use windflow_core::manifest::{Manifest, Text, choices};
use windflow_package::manifest_from_toml;

fn manifest(folder: &Path) -> Manifest {
    let text = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    manifest_from_toml(&text, |path| std::fs::read_to_string(folder.join(path)))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn every_field_of_a_plugin_and_what_it_can_be_is_told_in_french() {
    let mut missing = Vec::new();
    let mut values = 0;
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    for folder in std::fs::read_dir(plugins).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.join("plugin.toml").exists() {
            continue;
        }
        let manifest = manifest(&folder);
        let mut wants = |what: String, text: Option<&Text>| {
            if text.is_none_or(|text| text.0.get("fr").is_none_or(|text| text.trim().is_empty())) {
                missing.push(what);
            }
        };
        for (name, node) in &manifest.nodes {
            wants(format!("{name}: title"), Some(&node.title));
            wants(format!("{name}: description"), Some(&node.description));
            for port in &node.ports {
                wants(format!("{name}: port {}", port.name), Some(&port.description));
            }
            for (field, schema) in node.config["properties"].as_object().into_iter().flatten() {
                let text = node.fields.get(field);
                wants(format!("{name}: title of {field}"), text.map(|text| &text.title));
                wants(format!("{name}: description of {field}"), text.map(|text| &text.description));
                for (value, _) in choices(schema).into_iter().filter(|(_, is_described)| *is_described) {
                    values += 1;
                    wants(format!("{name}: {field}: {value}"), text.and_then(|text| text.values.get(&value)));
                }
            }
        }
    }
    assert!(values > 50, "{values} are known");
    assert_eq!(missing, [""; 0]);
}
