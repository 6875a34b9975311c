//! What authors of plugins begin with: the starter, and the SDK that is part of this binary.

use std::collections::BTreeMap;

use crate::builtins::{LOCK, SDK};

/// Where a starter finds the SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sdk {
    /// A copy of this binary's, in the plugin's own folder.
    Own,
    /// The crate in a folder.
    Folder(String),
    /// A version of the crate, of a registry.
    Version(String),
}

/// The files of a new plugin, by their paths in its folder.
pub(crate) fn files(name: &str, sdk: &Sdk) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (path, text) in SDK {
        if let Some(path) = path.strip_prefix("template/rust/") {
            // A name with a dot would keep the template's own folder from being checked in whole.
            let path = if path == "gitignore" { ".gitignore".to_owned() } else { named(path, name) };
            files.insert(path, named(text, name));
        } else if *sdk == Sdk::Own && (path.starts_with("rust/") || path.starts_with("wit/")) {
            files.insert(
                format!("sdk/{path}"),
                if path.ends_with("Cargo.toml") { standalone(text) } else { (*text).to_owned() },
            );
        }
    }
    if let Some(manifest) = files.get_mut("Cargo.toml") {
        *manifest = manifest.replace(
            "{ path = \"sdk/rust\" }",
            &match sdk {
                Sdk::Own => "{ path = \"sdk/rust\" }".to_owned(),
                Sdk::Folder(path) => format!("{{ path = {path:?} }}"),
                Sdk::Version(version) => format!("{version:?}"),
            },
        );
    }
    if matches!(sdk, Sdk::Own | Sdk::Folder(_)) {
        // The versions that the SDK was tested with; the first build strikes out what the plugin does not need.
        files.insert("Cargo.lock".into(), LOCK.to_owned());
    }
    files
}

fn named(text: &str, name: &str) -> String {
    let mut title = name.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.replace("starter-name", name).replace("starter_name", &identifier(name)).replace("Starter title", &title)
}

/// The function's name. Words of the language get an underscore behind.
fn identifier(name: &str) -> String {
    let identifier = name.replace('-', "_");
    let taken = [
        "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum", "extern",
        "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
        "mut", "once", "output", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
        "test", "trait", "true", "try", "type", "typeof", "unsafe", "use", "virtual", "where", "while", "yield",
        "config", "node",
    ];
    if taken.contains(&&*identifier) { identifier + "_" } else { identifier }
}

/// A manifest of the SDK without what it inherits from this repository's workspace.
fn standalone(manifest: &str) -> String {
    let own = |line: &str| match line {
        "version.workspace = true" => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
        "edition.workspace = true" => "edition = \"2024\"".to_owned(),
        "rust-version.workspace = true" => format!("rust-version = {:?}", env!("CARGO_PKG_RUST_VERSION")),
        "license.workspace = true" => format!("license = {:?}", env!("CARGO_PKG_LICENSE")),
        "publish.workspace = true" => "publish = false".to_owned(),
        "windflow-sdk-macros.workspace = true" => "windflow-sdk-macros = { path = \"macros\" }".to_owned(),
        other => other.to_owned(),
    };
    let (kept, _) = manifest.split_once("[lints]").unwrap_or((manifest, ""));
    kept.lines().map(|line| own(line) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_template_and_of_this_workspace_is_left() {
        for sdk in [Sdk::Own, Sdk::Folder("/some where/sdk/rust".into()), Sdk::Version("0.1".into())] {
            let files = files("my-node", &sdk);
            for (path, text) in &files {
                assert!(!text.contains("starter-name") && !text.contains("starter_name"), "{path}");
                if path.ends_with("Cargo.toml") {
                    assert!(!text.contains("workspace = true"), "{path}: {text}");
                    toml::from_str::<toml::Table>(text).unwrap_or_else(|error| panic!("{path}: {error}"));
                }
            }
            assert_eq!(files.contains_key("sdk/rust/src/lib.rs"), sdk == Sdk::Own);
            assert!(
                files["src/lib.rs"].contains("pub fn my_node(") && files.contains_key("schema/my-node.config.json")
            );
            assert!(files.contains_key(".gitignore") && files.contains_key("cases/greets.yaml"));
        }
        assert!(files("match", &Sdk::Own)["src/lib.rs"].contains("pub fn match_("));
    }
}
