//! A disk that refuses, and how often it is asked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::json::Json;
use windflow_core::ports::store::{Blobs, Journal, ReadModel, Retention, RunQuery, StoreError};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{finished, run_key, started, step, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Disk, Options, SledStore};

/// Counts syncs, and fails them on request.
#[derive(Default)]
struct TestDisk {
    full: AtomicBool,
    slow: AtomicBool,
    /// Files below this folder are refused.
    refused: Mutex<Option<PathBuf>>,
    synced: Mutex<Vec<PathBuf>>,
}

impl TestDisk {
    fn syncs(&self) -> usize {
        self.synced.lock().unwrap().len()
    }
}

impl Disk for TestDisk {
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
        if self.slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(30));
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        if self.refused.lock().unwrap().as_ref().is_some_and(|folder| path.starts_with(folder)) {
            return Err(io::Error::other("the drive does not answer"));
        }
        file.sync_data()?;
        self.synced.lock().unwrap().push(path.to_owned());
        Ok(())
    }
}

fn open(dir: &Path, disk: &Arc<TestDisk>) -> SledStore {
    let disk: Arc<dyn Disk> = Arc::<TestDisk>::clone(disk);
    SledStore::open(dir, Options { disk, max_pending_bytes: 1 << 20, ..Options::default() }).unwrap()
}

#[test]
fn a_chain_of_pure_nodes_costs_one_disk_wait() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::default());
    let store = open(dir.path(), &disk);
    let before = disk.syncs();
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    let mut last = None;
    for number in 1..=100 {
        last = Some(store.append(&run, number, &[step(1000, number)]).unwrap());
    }
    wait(store.durable(last.unwrap())).unwrap();
    // No more than the one that is waited for, unless a second passed meanwhile.
    assert!(store.commits() <= 2, "{} commits", store.commits());
    assert_eq!(disk.syncs() - before, usize::try_from(store.commits()).unwrap());
    let commits = store.commits();
    wait(store.durable(last.unwrap())).unwrap();
    assert_eq!(store.commits(), commits, "what is durable already was committed again");
    assert_eq!(disk.synced.lock().unwrap().last(), Some(&store.synced_file()));
}

#[test]
fn those_who_wait_together_share_commits() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    disk.slow.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        for number in 0..32 {
            let store = &store;
            scope.spawn(move || {
                wait(store.durable(store.append(&run_key(1000, number), 0, &[started(1000, "a")]).unwrap())).unwrap();
            });
        }
    });
    assert!(store.commits() <= 8, "{} commits for 32 that waited at once", store.commits());
}

#[test]
fn without_anybody_waiting_it_is_written_within_a_second() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::default());
    let store = open(dir.path(), &disk);
    let begun = Instant::now();
    store.append(&run_key(1000, 1), 0, &[started(1000, "a")]).unwrap();
    // Reading must not put it off.
    store.read(&run_key(1000, 1), 0, 1).unwrap();
    while store.commits() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing was committed");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begun.elapsed() >= Duration::from_millis(900), "committed early: {:?}", begun.elapsed());
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(store.commits(), 1, "an idle store wrote");
}

#[test]
fn pending_memory_is_bounded() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    disk.slow.store(true, Ordering::SeqCst);
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    let output = Json::parse(format!("\"{}\"", "x".repeat(100_000)).into()).unwrap();
    for number in 1..100 {
        store.append(&run, number, &[succeeded(1000, output.clone())]).unwrap();
    }
    assert!(
        store.commits() >= 3,
        "10 MB were appended, 1 MB may be pending, and there were {} commits",
        store.commits()
    );
    assert_eq!(store.read(&run, 0, usize::MAX).unwrap().len(), 100);
}

#[test]
fn after_a_failed_commit_the_store_only_reads_until_it_is_opened_again() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    let run = run_key(1000, 1);
    let first = store.append(&run, 0, &[started(1000, "a")]).unwrap();
    wait(store.durable(first)).unwrap();
    disk.full.store(true, Ordering::SeqCst);

    // Everybody who waits is told.
    std::thread::scope(|scope| {
        for number in 2..10 {
            let store = &store;
            scope.spawn(move || {
                let run = run_key(1000, number);
                let done =
                    store.append(&run, 0, &[started(1000, "a")]).and_then(|position| wait(store.durable(position)));
                assert!(matches!(done, Err(StoreError::ReadOnly(_))), "{done:?}");
            });
        }
    });
    disk.full.store(false, Ordering::SeqCst);
    let error = store.append(&run, 1, &[step(1000, 1)]).unwrap_err();
    assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("no storage space")), "{error}");
    let error = store.put_blob(&OrganisationId::local(), b"x").unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");

    // What was durable still is, and everything that was applied can be read.
    wait(store.durable(first)).unwrap();
    assert_eq!(store.read(&run, 0, 10).unwrap().len(), 1);
    assert_eq!(store.run(&run).unwrap().sequence, 1);
    store.runs(&run.organisation, &RunQuery { limit: 5, ..RunQuery::default() }).unwrap();
    store.unfinished().unwrap();

    drop(store);
    let store = open(dir.path(), &disk);
    wait(store.durable(store.append(&run, 1, &[step(1000, 1)]).unwrap())).unwrap();
    assert_eq!(store.read(&run, 0, 10).unwrap().len(), 2);
}

#[test]
fn a_failed_commit_frees_those_who_wait_for_room() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    disk.full.store(true, Ordering::SeqCst);
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    let output = Json::parse(format!("\"{}\"", "x".repeat(300_000)).into()).unwrap();
    let mut sequence = 1;
    let error = loop {
        match store.append(&run, sequence, &[succeeded(1000, output.clone())]) {
            Ok(_) => sequence += 1,
            Err(error) => break error,
        }
        assert!(sequence < 10_000, "a full disk is not noticed");
    };
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
}

#[test]
fn dropping_the_store_commits() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::default());
    let run = run_key(1000, 1);
    let store = open(dir.path(), &disk);
    store.append(&run, 0, &[started(1000, "a"), step(1000, 1)]).unwrap();
    let syncs = disk.syncs();
    drop(store);
    assert_eq!(disk.syncs(), syncs + 1);
    assert_eq!(open(dir.path(), &disk).read(&run, 0, 10).unwrap().len(), 2);
}

#[test]
fn files_of_large_pages_are_synced_too() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    // A failure with a long message makes a large summary, and so a page that sled keeps in a file of its own.
    let run = run_key(1000, 1);
    // Noise, which packing does not make smaller.
    let noise: String = (0..5000_u32).map(|number| Digest::of(&number.to_be_bytes()).to_string()).collect();
    let huge = Json::parse(format!("\"{noise}\"").into()).unwrap();
    let mut end = finished(1001, EndStatus::Failed);
    if let windflow_core::run::Event::RunFinished { failure: Some(failure), .. } = &mut end.event {
        failure.failure.details = Some(huge);
    }
    wait(store.durable(store.append(&run, 0, &[started(1000, "a"), end]).unwrap())).unwrap();
    let large: Vec<_> =
        std::fs::read_dir(dir.path().join("sled/blobs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!large.is_empty(), "sled keeps large pages elsewhere now: the test is out of date");
    let synced = disk.synced.lock().unwrap();
    for path in large {
        assert!(synced.contains(&path), "{} was not synced", path.display());
    }
}

#[test]
fn a_compaction_that_cannot_be_synced_changes_nothing() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    let run = run_key(1000, 1);
    wait(store.durable(store.append(&run, 0, &[started(1000, "a")]).unwrap())).unwrap();
    *disk.refused.lock().unwrap() = Some(dir.path().join("sled-1"));
    for _ in 0..2 {
        let error = store.compact().unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("does not answer")), "{error}");
    }
    assert!(!dir.path().join("sled-1").exists(), "the copy that failed is still there");
    wait(store.durable(store.append(&run, 1, &[step(1000, 1)]).unwrap())).unwrap();
    *disk.refused.lock().unwrap() = None;
    store.compact().unwrap();
    assert_eq!(store.synced_file(), dir.path().join("sled-1/write-ahead"));
    assert!(!dir.path().join("sled").exists(), "the old database is still there");

    // From now on it is the new one that has to be synced.
    *disk.refused.lock().unwrap() = Some(dir.path().join("sled-1"));
    let error = wait(store.durable(store.append(&run, 2, &[step(1000, 2)]).unwrap())).unwrap_err();
    assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("does not answer")), "{error}");
    assert!(matches!(store.compact(), Err(StoreError::ReadOnly(_))));
    assert!(matches!(store.delete(&run), Err(StoreError::ReadOnly(_))));
    *disk.refused.lock().unwrap() = None;
    drop(store);
    assert!(open(dir.path(), &disk).read(&run, 0, 10).unwrap().len() >= 2);
}

#[test]
fn a_deletion_is_durable_when_it_says_so() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::<TestDisk>::default());
    let store = open(dir.path(), &disk);
    let runs = [run_key(1000, 1), run_key(1000, 2)];
    for run in &runs {
        let records = [started(1000, "a"), finished(1001, EndStatus::Succeeded)];
        wait(store.durable(store.append(run, 0, &records).unwrap())).unwrap();
    }
    let syncs = disk.syncs();
    let position = store.delete(&runs[0]).unwrap();
    wait(store.durable(position)).unwrap();
    assert!(disk.syncs() > syncs, "nothing was synced");
    disk.full.store(true, Ordering::SeqCst);
    let position = store.delete(&runs[1]).unwrap();
    let error = wait(store.durable(position)).unwrap_err();
    assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("Make room on the disk")), "{error}");
}
