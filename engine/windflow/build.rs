//! Embeds the built-in plugins. They are built before this crate, by `cargo xtask plugins`, into `plugins/` of the target
//! directory; cargo cannot do that here, since it would wait for its own lock.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=WINDFLOW_PLUGINS_DIR");
    let folder = plugins_folder().ok_or(
        "the built-in plugins are not built: run `cargo xtask plugins` first (`make` does it), or set WINDFLOW_PLUGINS_DIR",
    )?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut components: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    components.sort();
    let mut code = String::from("pub(crate) const COMPONENTS: &[(&str, &[u8])] = &[\n");
    for path in &components {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        code.push_str(&format!("    ({name:?}, include_bytes!({:?})),\n", path.display().to_string()));
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("builtins.rs"), code).map_err(|error| error.to_string())
}

fn plugins_folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("WINDFLOW_PLUGINS_DIR") {
        return Some(folder.into());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    let has_components = |folder: &PathBuf| {
        fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry.is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "wasm"))
            })
        })
    };
    out.ancestors().map(|ancestor| ancestor.join("plugins")).find(has_components)
}
