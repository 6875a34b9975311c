//! Disks that really refuse: full, read-only, or with a limit for files. Each ends with a message that says what to do, and
//! nothing that was acknowledged is lost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking, and tell"
)]

#[path = "common/child.rs"]
mod child;

use std::path::Path;
use std::process::Command;

use windflow_core::id::Digest;
use windflow_core::ports::store::{Journal, StoreError};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{finished, run_key, started, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

/// 20 kB that cannot be packed.
fn write(store: &SledStore, number: u64) -> Result<(), StoreError> {
    let noise: String =
        (0..300).map(|part: u64| Digest::of(&[number, part].map(u64::to_be_bytes).concat()).to_string()).collect();
    let run = run_key(number, number);
    let records = [
        started(number, "a"),
        succeeded(number, serde_json::Value::from(noise).into()),
        finished(number, EndStatus::Succeeded),
    ];
    wait(store.durable(store.append(&run, 0, &records)?))
}

/// Appends until it is refused. Then reads, and tries again.
#[test]
fn child_appends_until_it_is_refused() {
    let Some(dir) = child::folder() else { return };
    let store = match SledStore::open(dir, Options::default()) {
        Ok(store) => store,
        Err(error) => return println!("\nnot opened: {error}"),
    };
    let first = store.stats().unwrap().runs;
    for number in first..first + 400 {
        if let Err(error) = write(&store, number) {
            println!("\nrefused: {error}");
            // Without room there is none for others either.
            println!("again: {}", write(&store, number + 1).unwrap_err());
            match (0..number).try_for_each(|number| store.read(&run_key(number, number), 0, 10).map(drop)) {
                Ok(()) => println!("reads on"),
                Err(error) => println!("reads no more: {error}"),
            }
            return;
        }
        println!("\nkept {number}.");
    }
}

#[test]
fn child_checks_what_is_there() {
    let Some(dir) = child::folder() else { return };
    let store = SledStore::open(dir, Options::default()).unwrap();
    println!("\nproblems: {:?}", store.check().unwrap().problems);
    for run in 0.. {
        match store.read(&run_key(run, run), 0, 10) {
            Ok(records) => assert_eq!(records.len(), 3),
            Err(error) => {
                assert!(matches!(error, StoreError::NotFound(_)));
                return println!("\nthere {run}.");
            }
        }
    }
}

/// Runs a script in which `append` and `check` are the children above, with a file system of its own where it asks for one.
fn script(script: &str, dir: &Path, namespace: bool) -> String {
    let exe = std::env::current_exe().unwrap();
    let child = |test: &str| {
        let variable = format!("{}='{}'", child::VARIABLE, dir.join("data").display());
        format!("{variable} '{}' {test} --exact --nocapture --test-threads=1 || echo FAILED", exe.display())
    };
    let text = format!(
        "set -u; cd '{}'; append() {{ {}; }}; check() {{ {}; }}; {script}",
        dir.display(),
        child("child_appends_until_it_is_refused"),
        child("child_checks_what_is_there")
    );
    let mut command = if namespace { Command::new("unshare") } else { Command::new("sh") };
    if namespace {
        command.args(["-rm", "sh"]);
    }
    let output = command.arg("-c").arg(text).env("RUST_BACKTRACE", "0").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !said.contains("FAILED"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Whether this machine lets anybody have file systems of his own.
fn can_mount() -> bool {
    let can = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    if !can {
        eprintln!(
            "this machine allows no mounts in a namespace of one's own: the limit for files stands for the full disk"
        );
    }
    can
}

fn line<'a>(said: &'a str, beginning: &str) -> Vec<&'a str> {
    said.lines().filter_map(|line| line.strip_prefix(beginning)).collect()
}

/// Whenever it is looked at, all is there that was kept until then, and at most one more: a batch that was written, and of
/// whose durability nobody could be told.
fn nothing_was_lost(said: &str) {
    let number = |text: &str| text.trim_end_matches('.').parse::<u64>().unwrap();
    let (mut kept, mut looked) = (0, 0);
    for text in said.lines() {
        if let Some(number_kept) = text.strip_prefix("kept ") {
            kept = number(number_kept) + 1;
        }
        if let Some(there) = text.strip_prefix("there ").map(number) {
            assert!(there == kept || there == kept + 1, "{there} are there of {kept}");
            assert!(kept > 20, "{said}");
            looked += 1;
        }
    }
    assert_eq!(looked, 2, "{said}");
    assert!(line(said, "problems: ").iter().all(|problems| *problems == "[]"), "{said}");
}

fn check_refusal(said: &str, words: &[&str]) {
    let refused = line(said, "refused: ");
    assert!(!refused.is_empty(), "{said}");
    for refused in refused.iter().chain(&line(said, "again: ")) {
        for words in [&["the store is read-only", "cannot be written", "start windflow again"], words].concat() {
            assert!(refused.contains(words), "{refused:?} does not say {words:?}");
        }
    }
    // What is in memory can be read, and what is not is called neither damaged nor lost.
    for unread in line(said, "reads no more: ") {
        assert!(unread.contains("cannot be written") && unread.contains("start windflow again"), "{unread}");
    }
}

#[test]
fn a_limit_for_files_makes_the_store_read_only() {
    let dir = tempfile::tempdir().unwrap();
    // The limit is in blocks of 512 bytes.
    let said = script("(trap '' XFSZ; ulimit -f 6000; append); check; append; check", dir.path(), false);
    check_refusal(&said, &["file too large", "Let this user write larger files"]);
    assert_eq!(line(&said, "refused: ").len(), 1, "{said}");
    assert!(line(&said, "kept ").len() > 400, "{said}");
    nothing_was_lost(&said);
}

#[test]
fn a_full_disk_makes_the_store_read_only_until_there_is_room() {
    if !can_mount() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let said = script(
        "mount -t tmpfs -o size=16m none . && cd \"$PWD\" && head -c 6000000 /dev/zero | tee one > two; \
         append; append; rm one; check; append; rm two; check",
        dir.path(),
        true,
    );
    let full = line(&said, "not opened: ");
    assert!(full.iter().all(|full| full.contains("Make room on the disk")), "{full:?}");
    check_refusal(&said, &["Make room on the disk"]);
    nothing_was_lost(&said);
}

#[test]
fn a_read_only_file_system_is_told_when_the_store_is_opened() {
    if !can_mount() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path().join("data"), Options::default()).unwrap();
    for number in 0..30 {
        write(&store, number).unwrap();
    }
    drop(store);
    let said = script("mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && append", dir.path(), true);
    let said = line(&said, "not opened: ");
    for words in ["cannot be written", "Read-only file system", "--data-dir"] {
        assert!(said.iter().any(|said| said.contains(words)), "{said:?} does not say {words:?}");
    }
    let store = SledStore::open(dir.path().join("data"), Options::default()).unwrap();
    assert_eq!(store.check().unwrap().problems, [""; 0]);
    assert_eq!(store.stats().unwrap().runs, 30);
}
