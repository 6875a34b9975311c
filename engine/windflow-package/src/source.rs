//! The manifest as its author writes it.

use std::io;
use std::path::{Component, Path};

use serde_json::Value;
use windflow_core::manifest::Manifest;

use crate::check::{self, wrong};
use crate::error::PackageError;

/// Reads a `plugin.toml`. In it, `config` and `output` of a node type are paths of JSON Schema files relative to it; `load`
/// gives the text of such a file.
///
/// # Errors
/// The key that is wrong, and how to mend it.
pub fn manifest_from_toml(
    text: &str,
    mut load: impl FnMut(&str) -> io::Result<String>,
) -> Result<Manifest, PackageError> {
    let mut manifest: Manifest = toml::from_str(text)?;
    for (name, node) in &mut manifest.nodes {
        embed(format!("node.{name}.config"), &mut node.config, &mut load)?;
        if let Some(output) = &mut node.output {
            embed(format!("node.{name}.output"), output, &mut load)?;
        }
    }
    check::manifest(&manifest)?;
    Ok(manifest)
}

/// Replaces the path of a schema by the schema.
fn embed(
    key: String,
    schema: &mut Value,
    load: &mut impl FnMut(&str) -> io::Result<String>,
) -> Result<(), PackageError> {
    let Value::String(path) = schema else {
        return Err(wrong(key, "must be the path of a JSON Schema file, such as \"schema/config.json\""));
    };
    // A plugin holds what lies in its folder: building somebody's plugin must not carry files of the builder away.
    if !Path::new(path.as_str()).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(wrong(
            key,
            format!("leads out of the plugin's folder ({path:?}): put the schema beside plugin.toml"),
        ));
    }
    let path = std::mem::take(path);
    let text = match load(&path) {
        Ok(text) => text,
        Err(source) => return Err(PackageError::SchemaFile { key, path, source }),
    };
    *schema = match serde_json::from_str(&text) {
        Ok(schema) => schema,
        Err(source) => return Err(PackageError::SchemaSyntax { key, path, source }),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [plugin]
        name = "text-tools"
        version = "1.2.0"
        description = { en = "Works on text.", fr = "Travaille le texte." }

        [capabilities]
        http = ["*"]
        run_context = true

        [node.upper]
        title = { en = "Upper case" }
        description = { en = "Makes letters large." }
        category = "data"
        icon = "lucide:type"
        config = "schema/upper.json"
        output = "schema/out.json"
        ports = [{ name = "out" }, { name = "empty", description = { en = "There was no text." } }]

        [node.lower]
        title = { en = "Lower case" }
        description = { en = "Makes letters small." }
        category = "data"
        icon = "lucide:type"
        config = "schema/lower.json"
    "#;

    fn schema(path: &str) -> io::Result<String> {
        match path {
            "schema/out.json" => Ok("true".to_owned()),
            "schema/list.json" => Ok("[]".to_owned()),
            "schema/bad.json" => Ok("{".to_owned()),
            "schema/none.json" => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(format!(r#"{{"$id":"{path}"}}"#)),
        }
    }

    #[test]
    fn schemas_are_embedded_and_the_author_s_order_kept() {
        let manifest = manifest_from_toml(GOOD, schema).unwrap();
        assert_eq!(manifest.nodes.keys().collect::<Vec<_>>(), ["upper", "lower"]);
        assert_eq!(manifest.nodes["upper"].config, serde_json::json!({ "$id": "schema/upper.json" }));
        assert_eq!(manifest.nodes["upper"].output, Some(Value::Bool(true)));
        assert_eq!(manifest.nodes["lower"].output, None);
        assert!(manifest.capabilities.run_context);
    }

    #[test]
    fn errors_name_the_key_and_what_to_do() {
        for (from, to, said) in [
            ("\"schema/lower.json\"", "{ type = \"object\" }", ["`node.lower.config`", "path of a JSON Schema file"]),
            ("schema/lower.json", "schema/none.json", ["`node.lower.config`", "generate the schema"]),
            ("schema/lower.json", "schema/bad.json", ["`node.lower.config`", "not JSON"]),
            ("schema/lower.json", "schema/list.json", ["`node.lower.config`", "no JSON Schema"]),
            ("schema/lower.json", "../lower.json", ["`node.lower.config`", "leads out"]),
            ("schema/lower.json", "/etc/passwd", ["`node.lower.config`", "leads out"]),
            ("schema/out.json", "schema/none.json", ["`node.upper.output`", "schema/none.json"]),
            ("text-tools", "Text Tools", ["`plugin.name`", "lower-case"]),
            ("node.lower", "node.lower_case", ["`node`", "lower_case"]),
            ("\"empty\"", "\"error\"", ["`node.upper.ports`", "leave it out"]),
            ("\"empty\"", "\"out\"", ["`node.upper.ports`", "twice"]),
            ("\"empty\"", "\"No\"", ["`node.upper.ports`", "port name"]),
            ("en = \"Lower case\"", "fr = \"Minuscules\"", ["`node.lower.title`", "English"]),
            ("run_context", "runcontext", ["runcontext", "run_context"]),
            ("\"1.2.0\"", "\"1.2\"", ["version", "1.2"]),
            ("run_context = true", "hands_files = [\"folder\"]", ["`capabilities.hands_files`", "ask for `docker`"]),
            (
                "run_context = true",
                "docker = true\nhands_files = [\"a..b\"]",
                ["`capabilities.hands_files`", "action.build.folder"],
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = manifest_from_toml(&GOOD.replacen(from, to, 1), schema).unwrap_err().to_string();
            for word in said {
                assert!(error.contains(word), "{from} -> {to} says {error:?} without {word:?}");
            }
        }
        let no_nodes = GOOD.split("[node.").next().unwrap();
        let error = manifest_from_toml(no_nodes, schema).unwrap_err().to_string();
        assert!(error.contains("node"), "{error}");
    }
}
