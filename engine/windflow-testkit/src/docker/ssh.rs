//! An SSH server of its own for a test, behind which `docker` speaks to an engine.

use std::process::Command;

use tempfile::TempDir;

use super::free_port;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/ssh.sh");

/// An SSH server. It ends when it is dropped, and with the process at the latest.
pub struct SshServer {
    port: u16,
    folder: TempDir,
}

impl SshServer {
    /// Gets what is needed, and starts one. `docker` there speaks to the engine of this address.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start(engine: &str) -> Self {
        Self::start_with_path(engine, "/usr/bin:/bin")
    }

    /// The same, where commands are looked for in these folders.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start_with_path(engine: &str, path: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let (port, own) = (free_port(), std::process::id().to_string());
        let place = folder.path().to_str().expect("a path in UTF-8");
        let mut command = Command::new(SCRIPT);
        command.args(["start", place, &port.to_string(), &own, engine]).env("WINDFLOW_SSH_PATH", path);
        let output = command.output().expect("the script can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no SSH server could be started here:\n{stderr}");
        Self { port, folder }
    }

    /// Its address: `ssh://root@127.0.0.1:…`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("ssh://root@127.0.0.1:{}", self.port)
    }

    /// What is in one of its files: `host.pub`, its own key; `ours`, the key that it accepts; `stranger` and `stranger.pub`, one that it does not.
    ///
    /// # Panics
    /// Where there is no such file.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("the server has such a file")
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let path = self.folder.path().to_str().unwrap_or_default();
        let _ = Command::new(SCRIPT).args(["stop", path]).status();
    }
}
