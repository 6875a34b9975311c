//! Embeds the built-in plugins and templates, and what authors of plugins begin with. They are built before this crate, by `cargo xtask plugins` and `cargo xtask
//! marketplace`, into `plugins/` and `marketplace/` of the target directory; cargo cannot do that here, since it would wait for its
//! own lock.

use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

fn main() -> Result<(), String> {
    let plugins = folder("WINDFLOW_PLUGINS_DIR", "plugins", |folder| !files(folder, "wasm").is_empty()).ok_or(
        "the built-in plugins are not built: run `cargo xtask plugins` first (`make` does it), or set WINDFLOW_PLUGINS_DIR",
    )?;
    let marketplace = folder("WINDFLOW_MARKETPLACE_DIR", "marketplace", |folder| folder.join("index.json.sig").is_file()).ok_or(
        "the built-in templates are not packed: run `cargo xtask marketplace` first (`make` does it), or set WINDFLOW_MARKETPLACE_DIR",
    )?;
    let mut code = String::from("pub(crate) static COMPONENTS: &[BuiltIn] = &[\n");
    for path in embedded(&plugins, "wasm") {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (digest, path): ([u8; 32], _) = (Sha256::digest(&bytes).into(), path.display().to_string());
        code.push_str(&format!(
            "    BuiltIn {{ name: {name:?}, digest: Digest({digest:?}), bytes: include_bytes!({path:?}) }},\n"
        ));
    }
    code.push_str("];\n");
    for (constant, file) in [("INDEX", "index.json"), ("SIGNATURE", "index.json.sig"), ("KEY", "key.pub")] {
        let path = marketplace.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        code.push_str(&format!("static {constant}: &[u8] = include_bytes!({:?});\n", path.display().to_string()));
    }
    code.push_str("static PACKAGES: &[(&str, &[u8])] = &[\n");
    for path in embedded(&marketplace.join("packages"), "gz") {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = path.display().to_string();
        code.push_str(&format!("    ({:?}, include_bytes!({path:?})),\n", format!("packages/{name}")));
    }
    code.push_str("];\n");
    code.push_str(&sources(Path::new("../../sdk"))?);
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("builtins.rs"), code).map_err(|error| error.to_string())
}

/// What authors of plugins need: the SDK and the starter, and which versions of other crates they were tested with.
fn sources(sdk: &Path) -> Result<String, String> {
    let mut paths = Vec::new();
    for folder in ["rust", "wit", "template"] {
        walk(&sdk.join(folder), &mut paths).map_err(|error| format!("{}: {error}", sdk.display()))?;
    }
    paths.sort();
    let mut code = String::from("pub(crate) static SDK: &[(&str, &str)] = &[\n");
    for path in paths {
        let name = path.strip_prefix(sdk).map_err(|error| error.to_string())?.display().to_string();
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        code.push_str(&format!("    ({name:?}, include_str!({:?})),\n", path.display().to_string()));
    }
    code.push_str("];\n");
    let lock = sdk.join("../Cargo.lock").canonicalize().map_err(|error| format!("Cargo.lock: {error}"))?;
    code.push_str(&format!("pub(crate) static LOCK: &str = include_str!({:?});\n", lock.display().to_string()));
    Ok(code)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// The files of a folder that end so, in the order of their names. Cargo builds anew when they change.
fn embedded(folder: &Path, extension: &str) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let files = files(folder, extension);
    files.iter().for_each(|path| println!("cargo::rerun-if-changed={}", path.display()));
    files
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    files.sort();
    files
}

/// The folder that a variable names, else the nearest one above that holds what is looked for.
fn folder(variable: &str, name: &str, holds: impl Fn(&PathBuf) -> bool) -> Option<PathBuf> {
    println!("cargo::rerun-if-env-changed={variable}");
    if let Some(folder) = env::var_os(variable) {
        return Some(folder.into());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    out.ancestors().map(|ancestor| ancestor.join(name)).find(holds)
}
