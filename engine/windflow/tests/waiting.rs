//! Runs that wait for people, other systems and time, as users of the command line meet them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::windflow;
use serde_json::{Value, json};
use tempfile::TempDir;

const RELEASE: &str = "windflow: 1\nname: release\nnodes:\n  \
build: { uses: template@1, for_each: [web, worker], with: { template: \"{{ name }}:1\", values: { name: \"${{ item }}\" } } }\n  \
pause: { uses: wait@1, needs: [build], with: { for: 10ms } }\n  \
ask: { uses: approval@1, needs: [pause], with: { message: \"Deploy?\", form: { type: object, required: [size], properties: { size: { type: integer } } } } }\n  \
back: { uses: callback@1, needs: [ask.approved], with: { message: \"the deployment\" } }\n  \
stop: { uses: fail@1, needs: [ask.rejected], with: { message: \"rejected by ${{ input.by }}\" } }\n\
outputs: { images: \"${{ nodes.build.output }}\", size: \"${{ nodes.ask.output.data.size }}\", back: \"${{ nodes.back.output }}\" }\n";

struct Place {
    folder: TempDir,
    file: PathBuf,
}

impl Place {
    fn new(document: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workflow.yaml");
        std::fs::write(&file, document).unwrap();
        Self { folder, file }
    }

    fn windflow(&self, arguments: &[&str]) -> Output {
        windflow(&self.folder.path().join("data")).args(arguments).output().unwrap()
    }

    /// Runs a command that prints a report; what it prints and its exit status.
    fn report(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.windflow(&[arguments, &["--json"]].concat());
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_waits_for_answers_across_processes() {
    let place = Place::new(RELEASE);
    let asked = place.windflow(&["run", text(&place.file)]);
    assert_eq!(asked.status.code(), Some(3), "{}", stderr(&asked));
    for part in ["Deploy?", "windflow runs approve", "kept"] {
        assert!(stderr(&asked).contains(part), "{}", stderr(&asked));
    }
    let wrong = place.windflow(&["runs", "approve", "last", "--data", r#"{"size":"many"}"#]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("does not fit"), "{}", stderr(&wrong));
    let data = r#"{"size":3}"#;
    let (report, code) =
        place.report(&["runs", "approve", "last", "ask", "--data", data, "--by", "ada", "--comment", "fine"]);
    assert_eq!((report["status"].as_str(), code), (Some("running"), Some(3)), "{report}");
    assert_eq!(report["nodes"]["ask"]["output"]["by"], "ada");
    assert_eq!(report["nodes"]["back"]["status"], "waiting");
    let again = place.windflow(&["runs", "approve", "last", "ask", "--data", data]);
    assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
    let (report, code) = place.report(&["runs", "answer", "last", "--data", r#"{"ok":true}"#]);
    assert_eq!((report["status"].as_str(), code), (Some("succeeded"), Some(0)), "{report}");
    assert_eq!(report["outputs"], json!({ "images": ["web:1", "worker:1"], "size": 3, "back": { "ok": true } }));
}

#[test]
fn whoever_rejects_fills_in_no_form() {
    let place = Place::new(RELEASE);
    place.windflow(&["run", text(&place.file), "--quiet"]);
    let (report, code) = place.report(&["runs", "reject", "last", "--by", "eve"]);
    assert_eq!((report["status"].as_str(), code), (Some("failed"), Some(1)), "{report}");
    assert!(report["error"]["failure"]["message"].as_str().unwrap().contains("rejected by eve"), "{report}");
}

#[test]
fn what_was_done_is_undone_with_the_real_nodes() {
    let place = Place::new(
        "windflow: 1\nname: trip\nnodes:\n  \
book: { uses: template@1, compensate: unbook, with: { template: \"seat 7\" } }\n  \
pay: { uses: fail@1, needs: [book], with: { message: no money } }\n  \
unbook: { uses: template@1, with: { template: \"gave back {{ seat }}\", values: { seat: \"${{ nodes.book.output }}\" } } }\n",
    );
    let (report, code) = place.report(&["run", text(&place.file)]);
    assert_eq!(code, Some(1));
    assert_eq!(report["nodes"]["unbook"]["output"], "gave back seat 7", "{report}");
}
