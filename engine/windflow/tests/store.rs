//! Looking after the folder that holds the runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::Path;
use std::process::Output;

use common::windflow;
use serde_json::Value;

const WORKFLOW: &str = "windflow: 1\nname: hello\nnodes:\n  greet: { uses: template@1, with: { template: \"Hello\", values: {} } }\n\
outputs: { greeting: \"${{ nodes.greet.output }}\" }\n";

fn do_it(data: &Path, arguments: &[&str]) -> Output {
    windflow(data).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn well(data: &Path, arguments: &[&str]) -> String {
    let output = do_it(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn stats(data: &Path) -> Value {
    serde_json::from_str(&well(data, &["store", "stats", "--json"])).unwrap()
}

/// Each opening of the store is a moment of its own in the log, so that one test looks at all commands.
#[test]
fn runs_are_deleted_and_the_store_is_checked_and_compacted() {
    let place = tempfile::tempdir().unwrap();
    let (data, file) = (place.path().join("data"), place.path().join("workflow.yaml"));
    std::fs::write(&file, WORKFLOW).unwrap();
    for _ in 0..3 {
        well(&data, &["run", file.to_str().unwrap(), "--quiet"]);
    }
    assert_eq!(stats(&data)["runs"], 3);
    assert!(stats(&data)["disk_bytes"].as_u64().unwrap() > stats(&data)["live_bytes"].as_u64().unwrap() / 10);

    let missing = do_it(&data, &["runs", "delete", "last", "00000000-nothing"]);
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
    assert_eq!(stats(&data)["runs"], 3, "a typing error costs nothing");
    assert!(well(&data, &["runs", "delete", "last", "last"]).contains("is deleted"));
    assert_eq!(stats(&data)["runs"], 2);

    assert!(well(&data, &["store", "check"]).contains("everything fits"));
    assert!(well(&data, &["store", "compact"]).contains("on disk before"));
    assert!(well(&data, &["store", "check"]).contains("2 runs"));
    well(&data, &["runs", "delete", "last"]);
    well(&data, &["runs", "delete", "last"]);
    let empty = stats(&data);
    assert_eq!((&empty["runs"], &empty["live_bytes"]), (&Value::from(0), &Value::from(0)));
    well(&data, &["run", file.to_str().unwrap(), "--quiet"]);
    assert_eq!(stats(&data)["runs"], 1);
}

#[test]
fn stores_that_cannot_be_used_say_why_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let check = |name: &str, write: &dyn Fn(&Path), expect: &[&str]| {
        let data = place.path().join(name);
        std::fs::create_dir_all(data.join("store")).unwrap();
        write(&data.join("store"));
        let output = do_it(&data, &["runs", "list"]);
        assert_eq!(output.status.code(), Some(1));
        for words in expect {
            assert!(said(&output).contains(words), "{name}: {} does not say {words:?}", said(&output));
        }
        assert!(!said(&output).contains("panicked"), "{}", said(&output));
    };
    let newer = |store: &Path| std::fs::write(store.join("format"), r#"{"format":9,"release":"9.1.0"}"#).unwrap();
    check(
        "newer",
        &newer,
        &["newer release of windflow (9.1.0, format 9", "use that release or a later one", "--data-dir"],
    );
    let no_format = |store: &Path| std::fs::create_dir(store.join("sled")).unwrap();
    check("no-format", &no_format, &["damaged", "`format` is missing", "restore it from a backup"]);
    let noise = |store: &Path| {
        std::fs::write(store.join("format"), r#"{"format":2,"release":"0.1.0","database":"sled"}"#).unwrap();
        std::fs::create_dir_all(store.join("sled/blobs")).unwrap();
        std::fs::write(store.join("sled/conf"), "segment_size: many\n").unwrap();
        std::fs::write(store.join("sled/db"), [7; 100_000]).unwrap();
    };
    check("noise", &noise, &["damaged", "restore it from a backup"]);
    let file = |store: &Path| {
        std::fs::remove_dir(store).unwrap();
        std::fs::write(store, "").unwrap();
    };
    check("file", &file, &["cannot be written", "--data-dir"]);
}
