//! What `cargo metadata` tells.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::toolchain::{cargo, output};
use crate::{BuildError, Guest};

/// Packed plugins of ours are at most this long, unless their Cargo.toml says otherwise: they are all part of the binary.
const DEFAULT_MAX_KIB: u64 = 250;

/// A cargo workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    packages: Vec<Value>,
}

impl Workspace {
    /// The workspace of a crate, or that of the working directory.
    ///
    /// # Errors
    /// Where there is none, or cargo cannot read it.
    pub fn find(folder: Option<&Path>) -> Result<Self, BuildError> {
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(folder) = folder {
            command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
        }
        Self::parse(&output(&mut command, "cargo metadata")?)
    }

    fn parse(metadata: &[u8]) -> Result<Self, BuildError> {
        let mut metadata: Value =
            serde_json::from_slice(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).ok_or_else(|| format!("cargo metadata does not tell {key}"))
        };
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        let packages = match metadata["packages"].take() {
            Value::Array(packages) => packages,
            _ => return Err("cargo metadata does not tell packages".into()),
        };
        Ok(Self { root, target, packages })
    }

    /// Where standard libraries for WebAssembly are kept that had to be built.
    #[must_use]
    pub fn sysroots(&self) -> PathBuf {
        self.target.join("wasm-sysroot")
    }

    /// Every folder of `plugins/` that holds a `plugin.toml`, in the order of their names.
    ///
    /// # Errors
    /// Where one of them is no crate that makes a plugin.
    pub fn plugins(&self) -> Result<Vec<Guest>, BuildError> {
        let folder = self.root.join("plugins");
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|folder| folder.join("plugin.toml").is_file())
            .collect();
        folders.sort();
        let mut guests = Vec::new();
        for folder in folders {
            let mut guest = self.guest(&folder)?;
            guest.max_kib.get_or_insert(DEFAULT_MAX_KIB);
            guests.push(guest);
        }
        Ok(guests)
    }

    /// The guest in a folder.
    ///
    /// # Errors
    /// Where it is no crate that makes a plugin.
    pub fn guest(&self, folder: &Path) -> Result<Guest, BuildError> {
        let at = |problem: &str| BuildError(format!("{}: {problem}", folder.display()));
        let folder = folder.canonicalize().map_err(|error| at(&error.to_string()))?;
        let package = self
            .packages
            .iter()
            .find(|package| {
                let manifest = package["manifest_path"].as_str().map(Path::new);
                manifest
                    .and_then(Path::parent)
                    .and_then(|parent| parent.canonicalize().ok())
                    .is_some_and(|it| it == folder)
            })
            .ok_or_else(|| {
                at("it is no package of its workspace: does its Cargo.toml exist, and do the members include it?")
            })?;
        let library = package["targets"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|target| target["crate_types"].as_array().is_some_and(|types| types.iter().any(|it| it == "cdylib")))
            .and_then(|target| target["name"].as_str())
            .ok_or_else(|| {
                at("it makes no WebAssembly: write crate-type = [\"cdylib\"] under [lib] in its Cargo.toml")
            })?;
        let name =
            folder.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| at("has no name"))?;
        Ok(Guest {
            name,
            package: package["name"].as_str().unwrap_or_default().to_owned(),
            library: library.replace('-', "_"),
            max_kib: package["metadata"]["windflow"]["max-size-kib"].as_u64(),
            paths: paths(package, &folder),
            folder,
        })
    }
}

/// The crates that a package takes from outside of its folder.
fn paths(package: &Value, folder: &Path) -> Vec<(PathBuf, String)> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let outside = dependencies.filter_map(|dependency| {
        let path = Path::new(dependency["path"].as_str()?).canonicalize().ok()?;
        let name = format!("/{}", dependency["name"].as_str()?);
        (!path.starts_with(folder)).then_some((path, name))
    });
    outside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_found_in_what_cargo_tells() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for (folder, file) in [("big", "plugin.toml"), ("app", "plugin.toml"), ("notes", "README.md")] {
            std::fs::create_dir_all(root.join("plugins").join(folder)).unwrap();
            std::fs::write(root.join("plugins").join(folder).join(file), "").unwrap();
        }
        let package = |folder: &str, crate_type: &str, metadata: Value| {
            serde_json::json!({
                "name": format!("windflow-plugin-{folder}"),
                "manifest_path": root.join("plugins").join(folder).join("Cargo.toml"),
                "metadata": metadata,
                "targets": [
                    { "name": "build-script-build", "crate_types": ["bin"] },
                    { "name": format!("windflow-plugin-{folder}"), "crate_types": ["rlib", crate_type] },
                ],
            })
        };
        let metadata = |crate_type: &str| {
            let big = serde_json::json!({ "windflow": { "max-size-kib": 900 } });
            let packages = [package("app", crate_type, Value::Null), package("big", "cdylib", big)];
            let metadata =
                serde_json::json!({ "workspace_root": root, "target_directory": "/t", "packages": packages });
            Workspace::parse(metadata.to_string().as_bytes()).unwrap()
        };
        let guests = metadata("cdylib").plugins().unwrap();
        let told: Vec<_> = guests.iter().map(|it| (&*it.name, &*it.package, &*it.library, it.max_kib)).collect();
        let expected = [
            ("app", "windflow-plugin-app", "windflow_plugin_app", Some(DEFAULT_MAX_KIB)),
            ("big", "windflow-plugin-big", "windflow_plugin_big", Some(900)),
        ];
        assert_eq!(told, expected);
        assert!(metadata("lib").plugins().unwrap_err().to_string().contains("cdylib"));
    }
}
