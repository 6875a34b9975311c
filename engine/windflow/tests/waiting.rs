//! Runs that wait for people, other systems and time, as users of the command line meet them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::process::Output;

use common::Place;
use serde_json::{Value, json};

const RELEASE: &str = "windflow: 1\nname: release\nnodes:\n  \
build: { uses: template@1, for_each: [web, worker], with: { template: \"{{ name }}:1\", values: { name: \"${{ item }}\" } } }\n  \
pause: { uses: wait@1, needs: [build], with: { for: 10ms } }\n  \
ask: { uses: approval@1, needs: [pause], with: { message: \"Deploy?\", form: { type: object, required: [size], properties: { size: { type: integer } } } } }\n  \
back: { uses: callback@1, needs: [ask.approved], with: { message: \"the deployment\" } }\n  \
stop: { uses: fail@1, needs: [ask.rejected], with: { message: \"rejected by ${{ input.by }}\" } }\n\
outputs: { images: \"${{ nodes.build.output }}\", size: \"${{ nodes.ask.output.data.size }}\", back: \"${{ nodes.back.output }}\" }\n";

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_waits_for_answers_across_processes() {
    let place = Place::new(RELEASE);
    let asked = place.windflow(&["run", place.path()]);
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
    place.windflow(&["run", place.path(), "--quiet"]);
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
    let (report, code) = place.report(&["run", place.path()]);
    assert_eq!(code, Some(1));
    assert_eq!(report["nodes"]["unbook"]["output"], "gave back seat 7", "{report}");
}

#[test]
fn what_could_not_be_undone_is_shown() {
    let place = Place::new(
        "windflow: 1\nname: trip\nnodes:\n  \
book: { uses: template@1, compensate: unbook, with: { template: \"seat 7\" } }\n  \
pay: { uses: fail@1, needs: [book], with: { message: no money } }\n  \
unbook: { uses: fail@1, with: { message: nobody answers } }\n",
    );
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["uncompensated"], json!(["book"]), "{report}");
    let shown = place.windflow(&["runs", "show", "last"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("not undone: book; what was done there is still there"), "{shown}");
}

#[test]
fn a_workflow_beside_is_found_by_its_name_and_held_against_what_runs_it() {
    let place = Place::new(
        "windflow: 1\nname: parent\nnodes:\n  \
a: { uses: workflow@1, with: { name: greeting, inputs: { who: 17 } } }\n  \
b: { uses: workflow@1, with: { name: greetin } }\n\
outputs: { text: \"${{ nodes.a.output.txt }}\" }\n",
    );
    let named = |name: &str| {
        CHILD
            .replace("name: child", name)
            .replace("  ask", "  unasked")
            .replace("approval@1", "wait@1")
            .replace("message: \"Say so?\"", "for: 1ms")
    };
    std::fs::write(place.folder.path().join("hello.yaml"), named("name: greeting")).unwrap();
    std::fs::create_dir(place.folder.path().join("other")).unwrap();
    std::fs::write(place.folder.path().join("other/workflow.yaml"), named("name: below")).unwrap();
    let output = place.windflow(&["validate", place.path()]);
    assert_eq!(output.status.code(), Some(2));
    for part in [
        ":4:65: error[invalid_child_input]: the workflow `greeting` does not take this as its input `who`",
        "no file beside this one is a workflow `greetin`; did you mean `greeting`?",
        "error[unknown_output]: `nodes.a.output.txt` reads `txt`, which is never there",
        "did you mean `text`?",
    ] {
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    let good = "windflow: 1\nname: parent\nnodes:\n  \
a: { uses: workflow@1, with: { name: greeting, inputs: { who: ada } } }\n  \
b: { uses: workflow@1, with: { name: below, inputs: { who: eve } } }\n\
outputs: { text: \"${{ nodes.a.output.text }}, ${{ nodes.b.output.text }}\" }\n";
    std::fs::write(&place.file, good).unwrap();
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["outputs"], json!({ "text": "Hello ada, Hello eve" }), "{report}");
}

const CHILD: &str = "windflow: 1\nname: child\ninputs: { who: { type: string } }\nnodes:\n  \
greet: { uses: template@1, with: { template: \"Hello {{ who }}\", values: \"${{ inputs }}\" } }\n  \
ask: { uses: approval@1, needs: [greet], with: { message: \"Say so?\" } }\n\
outputs: { text: \"${{ nodes.greet.output }}\" }\n";

#[test]
fn workflows_run_workflows_and_wait_for_them() {
    let place = Place::new(
        "windflow: 1\nname: parent\nnodes:\n  \
each: { uses: workflow@1, for_each: [ada, eve], concurrency: 1, with: { file: parts/child.yaml, inputs: { who: \"${{ item }}\" } } }\n\
outputs: { all: \"${{ nodes.each.output.map(one, one.text) }}\" }\n",
    );
    let parts = place.folder.path().join("parts");
    std::fs::create_dir(&parts).unwrap();
    std::fs::write(parts.join("child.yaml"), CHILD).unwrap();
    let begun = place.windflow(&["run", place.path(), "--json"]);
    let parent: Value = serde_json::from_slice(&begun.stdout).unwrap_or_else(|_| panic!("{}", stderr(&begun)));
    let parent = parent["run"].as_str().unwrap();
    assert_eq!(begun.status.code(), Some(3));
    // The first child is answered by its own name, the second by that of the run that waits for it.
    // A run that another started is not the last one: nobody started it.
    let (last, _) = place.report(&["runs", "show", "last"]);
    assert_eq!(last["run"], parent, "{last}");
    let child = last["nodes"]["each"]["runs"][0].as_str().unwrap();
    let (report, code) = place.report(&["runs", "approve", child, "ask"]);
    assert_eq!((report["status"].as_str(), code), (Some("succeeded"), Some(0)), "{report}");
    let resumed = place.windflow(&["runs", "resume", parent]);
    assert_eq!(resumed.status.code(), Some(3), "{}", stderr(&resumed));
    assert!(stderr(&resumed).contains("Say so?"), "{}", stderr(&resumed));
    let (report, code) = place.report(&["runs", "approve", parent]);
    assert_eq!((report["status"].as_str(), code), (Some("succeeded"), Some(0)), "{report}");
    assert_eq!(report["outputs"], json!({ "all": ["Hello ada", "Hello eve"] }), "{report}");
}

#[test]
fn what_is_wrong_with_a_child_is_told_before_anything_starts() {
    let place = Place::new(
        "windflow: 1\nname: parent\nnodes:\n  \
a: { uses: workflow@1, with: { file: child.yaml, inputs: { whom: ada } } }\n  \
b: { uses: workflow@1, with: { file: chlid.yaml } }\n  \
c: { uses: workflow@1, with: { file: circle.yaml } }\n  \
d: { uses: workflow@1, with: { name: other } }\n",
    );
    std::fs::write(place.folder.path().join("child.yaml"), CHILD).unwrap();
    let circle = "windflow: 1\nname: circle\nnodes:\n  c: { uses: workflow@1, with: { file: ./circle.yaml } }\n";
    std::fs::write(place.folder.path().join("circle.yaml"), circle).unwrap();
    let output = place.windflow(&["validate", place.path()]);
    assert_eq!(output.status.code(), Some(2));
    for part in [
        ":4:62",
        "did you mean `who`",
        "needs the input `who`",
        "chlid.yaml",
        "did you mean `child.yaml`?",
        "in a circle: `circle.yaml` → `circle.yaml`",
        "no file beside this one is a workflow `other`",
    ] {
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
}

#[test]
fn of_several_questions_each_is_answered_by_itself() {
    let place = Place::new(
        "windflow: 1\nname: two\nnodes:\n  a: { uses: approval@1, with: { message: \"First?\" } }\n  \
b: { uses: approval@1, with: { message: \"Second?\" } }\n  end: { uses: log@1, needs: [a.approved, b.approved], with: { message: both } }\n",
    );
    place.windflow(&["run", place.path(), "--quiet"]);
    let first = place.windflow(&["runs", "approve", "last", "a"]);
    assert_eq!(first.status.code(), Some(3), "{}", stderr(&first));
    assert!(stderr(&first).contains("b: Second?") && !stderr(&first).contains("a: First?"), "{}", stderr(&first));
    let (report, code) = place.report(&["runs", "approve", "last", "b"]);
    assert_eq!((report["status"].as_str(), code), (Some("succeeded"), Some(0)), "{report}");
}

#[test]
fn items_that_were_cut_off_run_again() {
    let place = Place::new(
        "windflow: 1\nname: items\ntimeout: 300ms\nnodes:\n  \
each: { uses: wait@1, for_each: [1ms, 2s], with: { for: \"${{ item }}\" } }\n  end: { uses: log@1, needs: [each], with: { message: all } }\n",
    );
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["nodes"]["each"]["status"], "cancelled", "{report}");
    let again = place.windflow(&["runs", "rerun", "last", "--dry-run"]);
    assert!(stderr(&again).contains("it was cancelled"), "{}", stderr(&again));
}
