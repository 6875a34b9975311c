//! A registry of images of its own for a test, that wants a login.

use std::process::Command;

use tempfile::TempDir;

use super::free_port;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/registry.sh");

/// A registry. It ends when it is dropped, and with the process at the latest.
pub struct DockerRegistry {
    host: String,
    folder: TempDir,
}

impl DockerRegistry {
    /// Who may use it, and by which password.
    pub const LOGIN: (&str, &str) = ("ada", "correct-horse");

    /// Installs what is needed, and starts one.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the registry");
        let path = folder.path().to_str().expect("a path in UTF-8");
        let (port, own) = (free_port().to_string(), std::process::id().to_string());
        let output = Command::new(SCRIPT).args(["start", path, &port, &own]).output().expect("the script can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no registry could be started here:\n{stderr}");
        Self { host: format!("127.0.0.1:{port}"), folder }
    }

    /// What names of its images begin with: `127.0.0.1:…`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let path = self.folder.path().to_str().unwrap_or_default();
        let _ = Command::new(SCRIPT).args(["stop", path]).status();
    }
}
