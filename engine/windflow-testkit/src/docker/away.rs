//! An engine that goes away for a while with all that it has, as with the machine that it is on, and comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::DockerEngine;

/// What is left of an engine that went away.
pub struct Away {
    folder: PathBuf,
    /// How it was started.
    engine: Vec<String>,
    /// What ends it with the test process.
    watcher: Vec<String>,
    pid: String,
}

/// The words of a process's command line.
fn words(process: &Path) -> Vec<String> {
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn run(words: &[&str]) {
    let (program, arguments) = words.split_first().expect("a program");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("it can be run").success(), "{words:?}");
}

/// Starts a process that is nobody's child.
fn start(words: &[String]) {
    run(&["setsid", "--fork"].into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>());
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl DockerEngine {
    /// Ends the engine, and its containers with it. All that it has stays on its disk.
    ///
    /// # Panics
    /// Where that cannot be done.
    #[must_use]
    pub fn leave(&self) -> Away {
        let socket = Path::new(self.address().trim_start_matches("unix://"));
        let folder = socket.parent().expect("the socket is in the engine's folder").to_owned();
        let pid = fs::read_to_string(folder.join("docker.pid")).expect("the engine runs").trim().to_owned();
        let engine = words(&Path::new("/proc").join(&pid));
        // It would take the end of the engine for the end of the test.
        let processes = fs::read_dir("/proc").expect("processes are listed").filter_map(Result::ok);
        let is_watcher = |words: &Vec<String>| {
            words.contains(&pid)
                && words.last().map(Path::new) == Some(&folder)
                && words.iter().any(|word| word.contains("kill -0"))
        };
        let found =
            processes.map(|process| (process.file_name(), words(&process.path()))).find(|(_, words)| is_watcher(words));
        let (watching, watcher) = found.expect("the engine is watched");
        run(&["kill", "-KILL", &watching.to_string_lossy()]);
        run(&["kill", "-TERM", &pid]);
        wait_until("the engine does not end", || words(&Path::new("/proc").join(&pid)).is_empty());
        Away { folder, engine, watcher, pid }
    }
}

impl Away {
    /// Starts the engine again, as it was started.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn come_back(self) {
        start(&self.engine);
        let address = format!("unix://{}", self.folder.join("docker.sock").display());
        let answers = || {
            let asked = Command::new("/usr/bin/docker").args(["-H", &address, "version"]).output();
            asked.is_ok_and(|output| output.status.success())
        };
        wait_until("the engine does not come back", answers);
        let pid = fs::read_to_string(self.folder.join("docker.pid")).expect("the engine runs").trim().to_owned();
        let watcher: Vec<_> =
            self.watcher.into_iter().map(|word| if word == self.pid { pid.clone() } else { word }).collect();
        start(&watcher);
    }
}
