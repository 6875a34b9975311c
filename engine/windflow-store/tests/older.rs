//! Stores that older releases wrote open, and nothing in them is lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::path::Path;
use std::process::Command;

use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::json::Json;
use windflow_core::ports::store::{Blobs, Journal, Position, ReadModel, Retention, RunQuery, Store, StoreError};
use windflow_core::run::{EndStatus, Event, Record};
use windflow_store::suite::sample::{cancel, finished, run_id, started, step, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

const RUNS: u64 = 40;

fn key(number: u64) -> RunKey {
    let organisation = if number % 5 == 4 { "acme".parse().unwrap() } else { OrganisationId::local() };
    RunKey { organisation, run: run_id(1000 * (number + 1), number) }
}

/// A document that several runs share, larger than one value of the database.
fn document(number: u64) -> Vec<u8> {
    format!("windflow: 1\nname: flow-{}\n{}", number % 3, "# a comment that makes it long\n".repeat(300)).into_bytes()
}

fn records(number: u64) -> Vec<Record> {
    let at = 1000 * (number + 1);
    let mut first = started(at, &format!("flow-{}", number % 3));
    if let Event::RunStarted(started) = &mut first.event {
        started.document = Digest::of(&document(number));
    }
    let mut records = vec![first, step(at + 1, number)];
    if number % 4 == 1 {
        records.push(succeeded(at + 2, Json::parse(format!("\"{}\"", "x".repeat(20_000)).into()).unwrap()));
    }
    match number % 6 {
        0 | 1 => records.push(finished(at + 3, EndStatus::Succeeded)),
        2 => records.push(finished(at + 3, EndStatus::Failed)),
        3 => records.extend([cancel(at + 3), finished(at + 4, EndStatus::Cancelled)]),
        4 => records.push(cancel(at + 3)),
        _ => {}
    }
    // As the release wrote them that made the fixtures.
    records.iter_mut().for_each(|record| record.v = 1);
    records
}

fn fill(store: &dyn Store) {
    for number in 0..RUNS {
        let run = key(number);
        store.put_blob(&run.organisation, &document(number)).unwrap();
        let records = records(number);
        let (first, rest) = records.split_at(1);
        store.append(&run, 0, first).unwrap();
        wait(store.durable(store.append(&run, 1, rest).unwrap())).unwrap();
    }
}

fn unpack(fixture: &str, dir: &Path) {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    // While it is open, as a crash leaves it: not all of it is in the database yet.
    let done = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(dir).status().unwrap();
    assert!(done.success());
}

fn check(store: &SledStore) {
    assert_eq!(store.check().unwrap().problems, [""; 0]);
    assert_eq!(store.stats().unwrap().runs, RUNS);
    for number in 0..RUNS {
        let run = key(number);
        let kept: Vec<_> = store.read(&run, 0, usize::MAX).unwrap().into_iter().map(|(_, record)| record).collect();
        assert_eq!(kept, records(number), "run {number}");
        let document = document(number);
        assert_eq!(store.blob(&run.organisation, &Digest::of(&document)).unwrap(), document);
    }
    let unfinished: Vec<_> = (0..RUNS).filter(|number| number % 6 > 3).map(key).collect();
    assert_eq!(store.unfinished().unwrap(), unfinished);
    let query = RunQuery { workflow: "flow-1".parse().ok(), limit: 100, ..RunQuery::default() };
    let listed = store.runs(&OrganisationId::local(), &query).unwrap().items.len() as u64;
    assert_eq!(listed, (0..RUNS).filter(|number| number % 3 == 1 && number % 5 != 4).count() as u64);
}

fn folders(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("sled"));
    names.sort();
    names
}

/// The present format as it was written when it was new.
#[test]
fn a_store_of_this_format_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    unpack("store-v3.tar.gz", dir.path());
    let dir = dir.path().join("store");
    let store = SledStore::open(&dir, Options::default()).unwrap();
    check(&store);
    assert_eq!(folders(&dir), ["sled"]);
    store.compact().unwrap();
    check(&store);
    assert_eq!(folders(&dir), ["sled-1"]);
}

#[test]
fn a_store_without_a_log_stays_where_it_is_and_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    unpack("store-v2.tar.gz", dir.path());
    let dir = dir.path().join("store");
    for _ in 0..2 {
        let store = SledStore::open(&dir, Options::default()).unwrap();
        check(&store);
        assert_eq!(store.stats().unwrap().format, 3);
        assert_eq!(folders(&dir), ["sled"]);
    }
    assert!(dir.join("sled/write-ahead").exists());
}

#[test]
fn a_store_of_the_first_release_is_brought_up_to_this_one() {
    let dir = tempfile::tempdir().unwrap();
    unpack("store-v1.tar.gz", dir.path());
    let dir = dir.path().join("store");
    for opening in 1..=3 {
        let store = SledStore::open(&dir, Options::default()).unwrap();
        check(&store);
        assert_eq!(store.stats().unwrap().format, 3);
        assert_eq!(folders(&dir), ["sled-1"], "opening {opening}");
    }
    // What it never counted is counted now: a document goes with the last run that mentions it.
    let store = SledStore::open(&dir, Options::default()).unwrap();
    for number in (0..RUNS).filter(|number| number % 6 <= 3) {
        store.delete(&key(number)).unwrap();
    }
    assert_eq!(store.check().unwrap().problems, [""; 0]);
    for number in (0..RUNS).filter(|number| number % 6 > 3) {
        let run = key(number);
        let last = store.read(&run, 0, usize::MAX).unwrap().len() as u64;
        store.append(&run, last, &[finished(90_000, EndStatus::Cancelled)]).unwrap();
        store.delete(&run).unwrap();
    }
    let stats = store.stats().unwrap();
    assert_eq!((stats.runs, stats.live_bytes), (0, 0));
}

#[test]
fn a_move_that_was_cut_off_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    unpack("store-v1.tar.gz", dir.path());
    let dir = dir.path().join("store");
    // As a crash in the middle leaves it.
    std::fs::create_dir_all(dir.join("sled-1/blobs")).unwrap();
    std::fs::write(dir.join("sled-1/db"), "half a copy").unwrap();
    std::fs::write(dir.join("format.new"), "{").unwrap();
    check(&SledStore::open(&dir, Options::default()).unwrap());
}

#[test]
fn an_older_store_that_lost_something_is_not_brought_up() {
    let dir = tempfile::tempdir().unwrap();
    unpack("store-v1.tar.gz", dir.path());
    let dir = dir.path().join("store");
    std::fs::write(dir.join("watermark"), "00000000000000099999 00000000000000099999\n").unwrap();
    let error = SledStore::open(&dir, Options::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted(why) if why.contains("has lost the last")), "{error}");
    assert_eq!(folders(&dir), ["sled"]);
    assert!(std::fs::read_to_string(dir.join("format")).unwrap().contains(r#""format":1"#));
}

/// Makes the fixture of the present release: `cargo test -p windflow-store --test older -- --ignored`.
#[test]
#[ignore = "writes a fixture into the source; done once for each format"]
fn write_the_fixture_of_this_release() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path().join("store"), Options::default()).unwrap();
    fill(&store);
    wait(Journal::durable(&store, Position::LATEST)).unwrap();
    let format = std::fs::read_to_string(dir.path().join("store/format")).unwrap();
    let number: String = format.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/store-v{number}.tar.gz"));
    // While it is open, as a crash leaves it: not all of it is in the database yet.
    let done = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(dir.path()).arg("store").status().unwrap();
    drop(store);
    assert!(done.success());
}
