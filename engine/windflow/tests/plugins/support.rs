//! A folder with a data folder, and plugins to install.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use windflow_core::manifest::{Manifest, RequestedCapabilities};

use crate::common::windflow;

pub(crate) struct Bench {
    folder: PathBuf,
    /// Gone with it.
    _temporary: Option<TempDir>,
}

/// How a command ended.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Said {
    /// It ended so, and said each of these, on either stream.
    #[track_caller]
    pub(crate) fn with(self, status: i32, parts: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "{}{}", self.out, self.err);
        for part in parts {
            assert!(
                self.out.contains(part) || self.err.contains(part),
                "{part:?} is not said:\n{}{}",
                self.out,
                self.err
            );
        }
        self
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self { folder: temporary.path().to_owned(), _temporary: Some(temporary) }
    }

    /// One in which plugins are built: empty, and at the same place each time, so that what cargo keeps does not grow.
    pub(crate) fn for_builds(name: &str) -> Self {
        let folder = shared_target().join("benches").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, _temporary: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The binary, in the folder, with what building plugins needs: they share a target directory, so that what they have in
    /// common is compiled once; and they need no network, since all crates are those of the workspace's lock file.
    pub(crate) fn command(&self) -> Command {
        self.prepared(windflow(&self.data()))
    }

    /// Another program, in the same place.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("WINDFLOW_DATA_DIR", self.data()).env("PATH", std::env::var_os("PATH").unwrap());
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(self.path()).env("CARGO_TARGET_DIR", shared_target()).env("CARGO_NET_OFFLINE", "true");
        for variable in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.command().args(arguments).output().unwrap().into()
    }

    /// Writes a version of the plugin `facts`, which knows its run and node and runs as it is.
    pub(crate) fn facts(&self, version: &str, change: impl FnOnce(&mut Manifest)) -> String {
        let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../windflow-host/tests/released/1.0.0/facts.wasm");
        let code = std::fs::read(released).unwrap();
        let mut manifest = windflow_package::read(&code).unwrap().manifest;
        manifest.plugin.version = version.parse().unwrap();
        change(&mut manifest);
        let file = format!("{}-{version}.wasm", manifest.plugin.name);
        std::fs::write(self.path().join(&file), windflow_package::pack(&code, &manifest).unwrap()).unwrap();
        file
    }

    /// Writes a plugin with the imports of a built-in one, under another name: to be looked at and installed, not to be run.
    pub(crate) fn repacked(&self, of: &str, name: &str, version: &str, change: impl FnOnce(&mut Manifest)) -> String {
        let code = built_in(of);
        let mut manifest = windflow_package::read(&code).unwrap().manifest;
        manifest.plugin.name = name.into();
        manifest.plugin.version = version.parse().unwrap();
        let node = manifest.nodes.shift_remove(of).unwrap();
        manifest.nodes.insert(name.into(), node);
        change(&mut manifest);
        let file = format!("{name}-{version}.wasm");
        std::fs::write(self.path().join(&file), windflow_package::pack(&code, &manifest).unwrap()).unwrap();
        file
    }
}

pub(crate) fn built_in(name: &str) -> Vec<u8> {
    let target = PathBuf::from(env!("CARGO_BIN_EXE_windflow"));
    let plugins =
        target.ancestors().map(|folder| folder.join("plugins")).find(|folder| folder.join("http.wasm").is_file());
    std::fs::read(plugins.unwrap().join(format!("{name}.wasm"))).unwrap()
}

/// What a plugin asks for, as its manifest has it.
pub(crate) fn asks(json: &Value) -> RequestedCapabilities {
    serde_json::from_value(json.clone()).unwrap()
}

pub(crate) fn shared_target() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugins")
}
