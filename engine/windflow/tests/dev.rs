//! `windflow dev`: what is saved runs, what is unchanged does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::windflow;

struct Dev {
    child: Child,
    said: Arc<Mutex<String>>,
    file: PathBuf,
    /// Up to where what it said was looked at.
    seen: usize,
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dev {
    fn start(folder: &std::path::Path, text: &str, more: &[&str]) -> Self {
        let file = folder.join("flow.yaml");
        std::fs::write(&file, text).unwrap();
        let mut command = windflow(&folder.join("data"));
        command.arg("dev").arg(&file).args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stderr, heard) = (child.stderr.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut part) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..read]));
            }
        });
        Self { child, said, file, seen: 0 }
    }

    /// What it says from the last look up to the words.
    fn until(&mut self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if let Some(at) = said[self.seen..].find(words) {
                let part = said[self.seen..self.seen + at].to_owned();
                self.seen += at + words.len();
                return part;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it never says {words:?}: {}", &said[self.seen..]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn save(&self, text: &str) {
        // As editors do: aside, and moved.
        let aside = self.file.with_extension("new");
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(aside, &self.file).unwrap();
    }
}

const TEXT: &str = "windflow: 1\nname: flow\ninputs: { n: { type: integer, default: 3 } }\nnodes:\n  \
    first: { uses: log@1, with: { message: \"first ${{ inputs.n }}\" } }\n  \
    second: { uses: transform@1, needs: first, with: { jq: \". * 2\", input: \"${{ inputs.n }}\" } }\n\
    outputs: { n: \"${{ nodes.second.output }}\" }\n";

#[test]
fn a_save_runs_what_changed_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path(), TEXT, &["-i", "n=5"]);
    let first = dev.until("watching");
    assert!(first.contains("first 5") && first.contains("2 of 2 nodes"), "{first}");

    dev.save(&TEXT.replace(". * 2", ". * 3"));
    let second = dev.until("watching");
    assert!(second.contains("1 node is unchanged") && !second.contains("first 5"), "{second}");

    dev.save(&TEXT.replace("transform@1", "transfrom@1"));
    let broken = dev.until("waiting for a change");
    assert!(broken.contains("unknown_node_type") && broken.contains("flow.yaml:6"), "{broken}");

    dev.save(&TEXT.replace(". * 2", ". * 3").replace("first ${{", "one ${{"));
    let mended = dev.until("watching");
    assert!(mended.contains("one 5") && !mended.contains("unchanged"), "{mended}");
}

#[test]
fn a_run_that_is_out_of_date_is_given_up_and_a_pinned_node_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let slow = TEXT.replace("outputs:", "  long: { uses: wait@1, needs: second, with: { for: 1h } }\noutputs:");
    let mut dev = Dev::start(folder.path(), &slow, &["--pin", "second={\"pinned\": true}"]);
    dev.until("second");
    dev.save(&TEXT.replace("nodes.second.output", "nodes.second.output.pinned"));
    dev.until("beginning again");
    let again = dev.until("watching");
    assert!(again.contains("succeeded"), "{again}");

    // It ends when it is told to.
    let id = dev.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let begun = Instant::now();
    while dev.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
