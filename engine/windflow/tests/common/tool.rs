//! Real servers for tests, as the scripts of `sdk/toolchain` install them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A server; it ends with its standard input, and so with the test.
pub struct Tool {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Tool {
    /// Starts what `ensure-NAME.sh` installs, with these arguments behind its own.
    pub fn start(name: &str, arguments: &[&Path]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../sdk/toolchain/ensure-{name}.sh"));
        let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the {name} cannot be installed, see above");
        let command = String::from_utf8(output.stdout).unwrap();
        let mut command = command.lines();
        let mut process = Command::new(command.next().unwrap())
            .args(command)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = process.stdout.take().unwrap();
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| told.send(line))
        });
        Self { process, lines }
    }

    /// The next line that it prints, if it does within this time.
    pub fn line(&self, within: Duration) -> Option<String> {
        self.lines.recv_timeout(within).ok()
    }

    /// The line that says where it listens.
    pub fn begun(&self) -> String {
        self.line(Duration::from_secs(30)).unwrap_or_else(|| panic!("the server does not start within 30 seconds"))
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
