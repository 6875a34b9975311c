//! A damaged store says so. It never makes up or drops records in silence, and never takes the process with it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

#[path = "common/child.rs"]
mod child;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::store::{Blobs, Journal, ReadModel, RunQuery, StoreError};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{Random, finished, run_key, started, started_with, step, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

const RUNS: u64 = 60;
const RECORDS: u64 = 60;

/// A store that was opened three times, with some megabytes in it.
fn build(dir: &Path) {
    for part in 0..3 {
        let store = SledStore::open(dir, Options::default()).unwrap();
        for number in (0..RUNS).filter(|number| number % 3 == part) {
            let run = run_key(1000 + number, number);
            let document = store.put_blob(&run.organisation, &number.to_be_bytes().repeat(2000)).unwrap();
            store.append(&run, 0, &[started_with(1000 + number, "a", document)]).unwrap();
            for sequence in 1..RECORDS - 1 {
                // One of them has a value that lies beside the journal.
                let large = || succeeded(1000, serde_json::Value::from(number.to_string().repeat(70_000)).into());
                let record = if sequence == 30 { large() } else { step(1000, sequence) };
                store.append(&run, sequence, &[record]).unwrap();
            }
            let end = store.append(&run, RECORDS - 1, &[finished(2000, EndStatus::Succeeded)]).unwrap();
            wait(store.durable(end)).unwrap();
        }
    }
}

/// Reads everything and says what is missing, or what the store complained about.
fn read_everything(dir: &Path) -> Result<(), StoreError> {
    let store = SledStore::open(dir, Options::default())?;
    let local = OrganisationId::local();
    let runs = store.runs(&local, &RunQuery { limit: 1000, ..RunQuery::default() })?.items;
    assert_eq!(runs.len() as u64, RUNS, "runs were lost in silence");
    for number in 0..RUNS {
        let run = run_key(1000 + number, number);
        let records = store.read(&run, 0, usize::MAX)?;
        assert_eq!(records.len() as u64, RECORDS, "records were lost in silence");
        assert!(
            records
                .iter()
                .map(|(_, record)| record)
                .skip(1)
                .take(20)
                .eq(&(1..21).map(|at| step(1000, at)).collect::<Vec<_>>())
        );
        store.run(&run)?;
        let content = number.to_be_bytes().repeat(2000);
        assert_eq!(store.blob(&local, &Digest::of(&content))?, content);
    }
    assert_eq!(store.unfinished()?, []);
    Ok(())
}

#[test]
fn child_reads_everything() {
    let Some(dir) = child::folder() else { return };
    match read_everything(&dir) {
        Ok(()) => println!("\noutcome intact"),
        Err(error) => println!("\noutcome {error}"),
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if fs::metadata(&path).unwrap().len() > 0 && !path.ends_with("lock") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What the child made of a damaged folder.
fn outcome(dir: &Path, what: &str) -> String {
    let log = dir.join("stderr");
    let mut child = child::command("child_reads_everything", dir)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{what}: the store hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let said = stdout.lines().find_map(|line| line.strip_prefix("outcome ")).map(str::to_owned);
    assert!(output.status.success(), "{what}: {}\n{stdout}\n{}", output.status, fs::read_to_string(&log).unwrap());
    said.unwrap()
}

#[test]
fn damage_is_an_error_or_makes_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    build(&whole);
    read_everything(&whole).unwrap();
    let mut random = Random::new(7);
    let (mut intact, mut refused) = (0, 0);
    for round in 0..60 {
        let damaged = dir.path().join("damaged");
        copy(&whole, &damaged);
        let files = files(&damaged);
        let path = match round % 3 {
            0 => files[random.below(files.len() as u64) as usize].clone(),
            _ => damaged.join("sled/db"),
        };
        let mut bytes = fs::read(&path).unwrap();
        let what = if random.below(6) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
            format!("{} cut to {} bytes", path.display(), bytes.len())
        } else {
            let place = random.below(bytes.len() as u64) as usize;
            let count = 1 + random.below(8) as usize;
            for byte in bytes.iter_mut().skip(place).take(count) {
                *byte ^= 1 + random.below(255) as u8;
            }
            format!("{} changed at {place}", path.display())
        };
        fs::write(&path, bytes).unwrap();
        let said = outcome(&damaged, &what);
        if said == "intact" {
            intact += 1;
        } else {
            refused += 1;
            assert!(
                said.contains("damaged") || said.contains("newer release") || said.contains("cannot be"),
                "{what}: {said}"
            );
        }
        eprintln!("{what}: {said}");
        fs::remove_dir_all(&damaged).unwrap();
    }
    assert!(intact > 0 && refused > 10, "{intact} intact, {refused} refused: the damage hits nothing");
}

/// A store whose last batches are in the files that a crash leaves.
fn crashed(whole: &Path, damaged: &Path) {
    let store = SledStore::open(whole, Options::default()).unwrap();
    // The last of them are in the log only.
    for number in 0..RUNS + 7 {
        let end = store.append(&run_key(1000, number), 0, &[started(1000, "dropped-by-sled")]).unwrap();
        wait(store.durable(end)).unwrap();
    }
    copy(whole, damaged);
}

/// Changes a letter of one of the batches that the file has.
fn damage(file: &Path, place: impl Fn(&[usize]) -> usize) {
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<_> =
        bytes.windows(15).enumerate().filter(|(_, text)| text == b"dropped-by-sled").map(|(at, _)| at).collect();
    let place = place(&places);
    bytes[place] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn is_missed(damaged: &Path) {
    let error = SledStore::open(damaged, Options::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted(why) if why.contains("has lost the last")), "{error}");
}

/// A log that ends too early looks like one that a crash cut off: the store must notice all the same.
#[test]
fn a_durable_batch_that_the_log_drops_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, damaged) = (dir.path().join("whole"), dir.path().join("damaged"));
    crashed(&whole, &damaged);
    damage(&damaged.join("sled/write-ahead"), |places| places[0]);
    is_missed(&damaged);
}

/// sled takes this for a batch that was cut off by a crash, and drops it: the log still has it, or the store must notice.
#[test]
fn a_durable_batch_that_the_database_drops_is_had_from_the_log_or_missed() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, first, damaged) = (dir.path().join("whole"), dir.path().join("first"), dir.path().join("damaged"));
    crashed(&whole, &first);
    // Opening it gives the database what only the log had.
    let store = SledStore::open(&first, Options::default()).unwrap();
    copy(&first, &damaged);
    drop(store);
    damage(&damaged.join("sled/db"), |places| places[places.len() - 1]);
    let log = damaged.join("sled/write-ahead");
    let logged = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    is_missed(&damaged);
    fs::write(&log, logged).unwrap();
    let store = SledStore::open(&damaged, Options::default()).unwrap();
    for number in 0..RUNS + 7 {
        assert_eq!(store.read(&run_key(1000, number), 0, 9).unwrap(), [(1, started(1000, "dropped-by-sled"))]);
    }
    assert_eq!(store.check().unwrap().problems, [""; 0]);
}

/// sled takes such a file for damage. It is what a crash, or a full disk, leaves behind while the store is being opened.
#[test]
fn an_opening_that_was_cut_off_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path(), Options::default()).unwrap();
    wait(store.durable(store.append(&run_key(1000, 1), 0, &[started(1000, "a")]).unwrap())).unwrap();
    drop(store);
    fs::write(dir.path().join("sled/snap.00000000007F3961.generating"), "").unwrap();
    let store = SledStore::open(dir.path(), Options::default()).unwrap();
    assert_eq!(store.run(&run_key(1000, 1)).unwrap().sequence, 1);
}
