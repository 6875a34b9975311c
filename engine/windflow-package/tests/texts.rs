//! What people read of the built-in plugins, and of what the engine itself does, is there in both languages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use windflow_core::manifest::{FieldText, Manifest, Text, inner, variants};
use windflow_package::manifest_from_toml;

fn manifest(folder: &Path) -> Manifest {
    let text = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    manifest_from_toml(&text, |path| std::fs::read_to_string(folder.join(path)))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// What has no French, of all that a form shows of a configuration, wherever within it.
#[derive(Default)]
struct Missing {
    found: Vec<String>,
    /// How many texts there have to be.
    wanted: usize,
}

impl Missing {
    fn wants(&mut self, what: String, text: Option<&Text>) {
        self.wanted += 1;
        if text.is_none_or(|text| text.0.get("fr").is_none_or(|text| text.trim().is_empty())) {
            self.found.push(what);
        }
    }

    /// `texts` are those of the field, then those of the fields that it is in. What several maps call the same is told once.
    fn field(&mut self, at: &str, texts: &[&FieldText], schemas: &[&Value]) {
        let own = texts.first().copied();
        self.wants(format!("title of {at}"), own.map(|text| &text.title));
        if schemas.iter().any(|schema| schema.get("description").is_some()) {
            self.wants(format!("description of {at}"), own.map(|text| &text.description));
        }
        schemas.iter().for_each(|schema| self.choices(at, texts, schema));
        let mut within: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, found) in schemas.iter().flat_map(|schema| inner(schema)) {
            within.entry(name).or_default().extend(found);
        }
        let silent = FieldText::default();
        for (name, found) in within {
            let text = own.and_then(|own| own.fields.get(name)).unwrap_or(&silent);
            let texts: Vec<_> = std::iter::once(text).chain(texts.iter().copied()).collect();
            self.field(&format!("{at}.{name}"), &texts, &found);
        }
    }

    /// What one can choose in a field. Whatever is in fields within it is theirs.
    fn choices(&mut self, at: &str, texts: &[&FieldText], schema: &Value) {
        for choice in variants(schema) {
            let name = &choice.name;
            if choice.is_described {
                self.wants(format!("{at}: {name}"), texts.iter().find_map(|text| text.values.get(name)));
            }
            if !choice.is_value {
                let named = texts.iter().find_map(|text| text.names.get(name));
                let called = texts.first().and_then(|own| own.fields.get(name)).map(|field| &field.title);
                self.wants(format!("name of {at}: {name}"), named.or(called));
            }
        }
        let parts = ["oneOf", "anyOf", "allOf", "items", "prefixItems", "additionalProperties", "patternProperties"];
        for part in parts.into_iter().filter_map(|word| schema.get(word)) {
            match part {
                Value::Array(parts) => parts.iter().for_each(|part| self.choices(at, texts, part)),
                part => self.choices(at, texts, part),
            }
        }
    }

    fn manifest(&mut self, manifest: &Manifest) {
        self.wants("description".to_owned(), Some(&manifest.plugin.description));
        for (name, node) in &manifest.nodes {
            self.wants(format!("title of {name}"), Some(&node.title));
            self.wants(format!("description of {name}"), Some(&node.description));
            for port in &node.ports {
                self.wants(format!("{name}: port {}", port.name), Some(&port.description));
            }
            // Forms follow none: such a field would be written as JSON.
            assert!(!node.config.to_string().contains("\"$ref\""), "{name} has references");
            for (field, schema) in node.config["properties"].as_object().into_iter().flatten() {
                let text = node.fields.get(field).cloned().unwrap_or_default();
                // The documentation of plugins shows each with a sentence.
                self.wants(format!("description of {name}: {field}"), Some(&text.description));
                self.field(&format!("{name}: {field}"), &[&text], &[schema]);
            }
        }
    }
}

#[test]
fn every_text_that_forms_show_of_a_plugin_is_there_in_french() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::fs::read_dir(root.join("../plugins")).unwrap().map(|entry| entry.unwrap().path());
    let mut missing = Missing::default();
    for folder in folders.filter(|folder| folder.join("plugin.toml").exists()) {
        missing.manifest(&manifest(&folder));
    }
    let native = std::fs::read_to_string(root.join("windflow-core/src/native/plugin.json")).unwrap();
    missing.manifest(&serde_json::from_str(&native).unwrap());
    assert!(missing.wanted > 800, "{} are known", missing.wanted);
    assert_eq!(missing.found, [""; 0]);
}

/// What the test above finds missing, so that it cannot be content with anything.
#[test]
fn a_text_that_is_missing_is_found_however_deep_it_is() {
    let fr = |text: &str| json!({ "en": text, "fr": text });
    let depths = json!({ "oneOf": [
        { "const": "stop", "description": "Stops it." },
        { "type": "object", "description": "Runs it.", "properties": { "run": { "type": "object", "properties": {
            "pull": { "oneOf": [{ "const": "always", "description": "Each time." }, { "const": "never" }] },
            "files": { "type": "array", "items": { "type": "object", "properties": { "name": { "description": "Its name." } } } },
            "more": { "type": "object", "additionalProperties": { "allOf": [{ "properties": { "deep": true } }] } },
        } } } },
        { "type": "array", "items": { "type": "string" } },
    ] });
    let found = |fields: Value| {
        let manifest = json!({
            "plugin": { "name": "t", "version": "1.0.0", "description": fr("d") },
            "node": { "t": { "title": fr("t"), "description": fr("d"), "category": "other", "icon": "lucide:box", "fields": fields,
                "config": { "type": "object", "properties": { "action": depths } } } },
        });
        let mut missing = Missing::default();
        missing.manifest(&serde_json::from_value(manifest).unwrap());
        missing.found.sort();
        missing.found
    };
    let all = json!({
        "title": fr("a"), "description": fr("a"),
        "values": { "stop": fr("s"), "run": fr("r"), "always": fr("a") },
        "names": { "stop": fr("s"), "array": fr("l") },
        "fields": { "run": { "title": fr("r"), "fields": {
            "pull": { "title": fr("p") },
            "files": { "title": fr("f"), "fields": { "name": { "title": fr("n"), "description": fr("n") } } },
            "more": { "title": fr("m"), "fields": { "deep": { "title": fr("d") } } },
        } } },
    });
    assert_eq!(found(json!({ "action": all })), [""; 0]);
    for (pointer, expect) in [
        ("/values", vec!["t: action.run.pull: always", "t: action: run", "t: action: stop"]),
        ("/names", vec!["name of t: action: array", "name of t: action: stop"]),
        ("/fields/run/title", vec!["name of t: action: run", "title of t: action.run"]),
        (
            "/fields/run/fields/files/fields",
            vec!["description of t: action.run.files.name", "title of t: action.run.files.name"],
        ),
        ("/fields/run/fields/more/fields/deep", vec!["title of t: action.run.more.deep"]),
    ] {
        let mut less = all.clone();
        let (within, key) = pointer.rsplit_once('/').unwrap();
        less.pointer_mut(within).unwrap().as_object_mut().unwrap().remove(key);
        assert_eq!(found(json!({ "action": less })), expect, "without {pointer}");
    }
}

#[test]
fn texts_for_what_a_configuration_does_not_have_are_refused() {
    let refused = |fields: &str| {
        let text = format!(
            "[plugin]\nname = \"t\"\nversion = \"1.0.0\"\ndescription.en = \"Test.\"\n[node.t]\ntitle.en = \"T\"\ndescription.en = \"T.\"\n\
             category = \"other\"\nicon = \"lucide:box\"\nconfig = \"c.json\"\n[node.t.fields]\n{fields}\n"
        );
        let action =
            json!({ "oneOf": [{ "const": "stop" }, { "properties": { "run": { "properties": { "image": {} } } } }] });
        let schema = json!({ "properties": { "action": action } }).to_string();
        manifest_from_toml(&text, |_| Ok(schema.clone())).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for good in [
        "action.values.stop.fr = \"x\"",
        "action.names.run.fr = \"x\"",
        "action.fields.run.fields.image.title = { fr = \"x\" }",
    ] {
        assert_eq!(refused(good), "", "{good}");
    }
    for (fields, key, problem) in [
        ("actoin.title.fr = \"x\"", "node.t.fields", "has texts for `actoin`, which the configuration does not have"),
        (
            "action.names.stpo.fr = \"x\"",
            "node.t.fields.action.names",
            "`stpo`, which `action` cannot be; did you mean `stop`?",
        ),
        (
            "action.fields.image.title.fr = \"x\"",
            "node.t.fields.action.fields",
            "`image`, which `action` does not have",
        ),
        (
            "action.fields.run.fields.imgae.title.fr = \"x\"",
            "node.t.fields.action.fields.run.fields",
            "`imgae`, which `run` does not have; did you mean `image`?",
        ),
    ] {
        let error = refused(fields);
        assert!(error.contains(key) && error.contains(problem), "{fields}: {error}");
    }
}
