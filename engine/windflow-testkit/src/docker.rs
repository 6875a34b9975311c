//! A Docker engine of its own for a test, with stand-in images `stand-in:1` and `stand-in:2`, which serve their version by HTTP, and with a registry
//! that it fetches all other images from, whatever registry their names say. It reaches nothing beyond this machine.

#![allow(clippy::expect_used, reason = "a test without its engine has failed, and says so")]

use std::collections::BTreeSet;
use std::process::Command;

use tempfile::TempDir;

pub use self::away::Away;
pub use self::registry::DockerRegistry;
pub use self::ssh::SshServer;

mod away;
mod registry;
mod ssh;

/// A Docker engine. It ends when it is dropped, and with the process at the latest.
pub struct DockerEngine {
    address: String,
    folder: TempDir,
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/engine.sh");

impl DockerEngine {
    /// Installs what is needed, and starts an engine.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[], None)
    }

    /// The same, with more flags for `dockerd`, and perhaps with a disk of a size such as `64m`.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start_with(flags: &[&str], disk: Option<&str>) -> Self {
        let disk = disk.map(|size| ("WINDFLOW_ENGINE_DISK", size));
        Self::begin(flags, disk.as_slice())
    }

    /// Starts one without any image: `stand-in:1` and `stand-in:2` are fetched, too.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start_empty() -> Self {
        Self::begin(&[], &[("WINDFLOW_ENGINE_EMPTY", "1")])
    }

    fn begin(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the engine");
        let (path, own) = (folder.path().to_str().expect("a path in UTF-8"), std::process::id().to_string());
        let mut command = Command::new(SCRIPT);
        command.args(["start", path, &own]).args(flags).envs(environment.iter().copied());
        let output = command.output().expect("the script can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no Docker engine could be started here:\n{stderr}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let address = stdout.lines().last().unwrap_or_default().to_owned();
        Self { address, folder }
    }

    /// Its address: `unix:///…`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs a `docker` command against it, which has to work; what it prints.
    ///
    /// # Panics
    /// Where it does not work.
    #[must_use]
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("/usr/bin/docker").args(["-H", &self.address]).args(arguments).output();
        let output = output.expect("docker can be run");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Brings a stand-in for each image to the registry that this engine fetches from: it listens on the ports of the real one and answers its
    /// health checks, and the programs that a stack's command lines and scripts call do as little as they can. One with the tag `broken` ends at once.
    ///
    /// # Panics
    /// Where an image cannot be brought there.
    pub fn stand_ins(&self, images: &[&str]) {
        let path = self.folder.path().to_str().expect("a path in UTF-8");
        let output =
            Command::new(SCRIPT).args(["stand-ins", path]).args(images).output().expect("the script can be run");
        assert!(output.status.success(), "{images:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The images that the engine has fetched from its registry, by their names.
    ///
    /// # Panics
    /// Where what the registry was asked cannot be read.
    #[must_use]
    pub fn fetched(&self) -> BTreeSet<String> {
        let log = self.folder.path().join("registry/registry.log");
        registry::given(&std::fs::read_to_string(log).expect("the registry keeps a log"))
    }

    /// Ends it.
    ///
    /// # Panics
    /// Where that cannot be done.
    pub fn stop(&self) {
        let path = self.folder.path().to_str().expect("a path in UTF-8");
        let ended = Command::new(SCRIPT).args(["stop", path]).status().expect("the script can be run");
        assert!(ended.success());
    }
}

impl Drop for DockerEngine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port of this machine that nothing listens to. It is none of those that the kernel hands out by itself (from 32768 on), which
/// another test could be given before this one listens, or while its container is replaced.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn free_port() -> u16 {
    use std::hash::{BuildHasher, RandomState};
    let random = || 20_000 + u16::try_from(RandomState::new().hash_one(()) % 12_000).unwrap_or_default();
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(random).take(1_000).find(is_free).expect("a free port")
}

/// What answers at a port of this machine: the body, or nothing.
#[must_use]
pub fn get(port: u16) -> Option<String> {
    use std::io::{Read, Write};
    use std::time::Duration;
    // What answers does so at once, unless the machine is busy.
    let patience = Duration::from_secs(10);
    let mut stream = std::net::TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned())
}
