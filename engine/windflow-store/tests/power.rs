//! The power goes: of what was written since a file was synced the disk has any part.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::records::{Expected, Records};
use windflow_core::ports::store::{Journal, Position, Retention};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{Random, finished, run_key, started, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Disk, Options, SledStore};

const RUNS: u64 = 20;

/// What disks write at once.
const BLOCK: usize = 4096;

/// Keeps the database file as it was when it was synced last.
#[derive(Default)]
struct Platter(Mutex<Vec<u8>>, Mutex<usize>);

impl Disk for Platter {
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_data()?;
        if path.ends_with("db") {
            *self.0.lock().unwrap() = fs::read(path)?;
            *self.1.lock().unwrap() += 1;
        }
        Ok(())
    }
}

/// Of each block that was written since, the old or the new one; the file ends where either of them did.
fn some_of(old: &[u8], new: &[u8], random: &mut Random) -> Vec<u8> {
    let length = if random.below(2) == 0 { old.len() } else { new.len() };
    let mut blocks = Vec::with_capacity(length);
    for start in (0..length).step_by(BLOCK) {
        let from = if random.below(2) == 0 { old } else { new };
        let block = from.get(start..(start + BLOCK).min(from.len())).unwrap_or_default();
        blocks.extend_from_slice(block);
        blocks.resize((start + BLOCK).min(length), 0);
    }
    blocks
}

#[test]
fn whatever_the_disk_has_of_the_database_what_was_durable_is_there() {
    let seeds = if std::env::var_os("WINDFLOW_LONG").is_some() { 20 } else { 1 };
    for seed in 1..=seeds {
        lose_power(seed);
    }
}

fn lose_power(seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let (store_dir, lost) = (dir.path().join("store"), dir.path().join("lost"));
    let platter = Arc::<Platter>::default();
    let disk: Arc<dyn Disk> = Arc::<Platter>::clone(&platter);
    let store = SledStore::open(&store_dir, Options { disk, ..Options::default() }).unwrap();
    let mut random = Random::new(seed);
    let noise = |count: u64, of: u64| -> String {
        (0..count).map(|part| Digest::of(&(of * 100 + part).to_be_bytes()).to_string()).collect()
    };
    // Neighbours with which a small value is written again and again.
    for number in 0..15 {
        store
            .put(&OrganisationId::local(), &format!("state/{number}"), Expected::Any, noise(90, number).into())
            .unwrap();
    }
    let mut sequences = vec![0_u64; RUNS as usize];
    let mut differed = 0;
    for round in 0..2500_u64 {
        let number = random.below(RUNS);
        let run = run_key(1000 + number, number);
        let sequence = &mut sequences[number as usize];
        let record = match *sequence {
            0 => started(1000 + number, "a"),
            200 => finished(2000, EndStatus::Succeeded),
            _ => succeeded(1000, serde_json::Value::from(noise(random.below(60), round)).into()),
        };
        let end = store.append(&run, *sequence, &[record]).unwrap();
        *sequence += 1;
        store.put(&OrganisationId::local(), "state/7/count", Expected::Any, round.to_be_bytes().into()).unwrap();
        if random.below(4) == 0 {
            // Readers give sled batches in another way.
            store.read(&run, 0, 1).unwrap();
        }
        if *sequence == 201 {
            Retention::delete(&store, &run).unwrap();
            *sequence = 0;
        }
        if random.below(2) == 0 {
            wait(Journal::durable(&store, end)).unwrap();
        }
        if round % 100 != 99 {
            continue;
        }
        wait(Journal::durable(&store, Position::LATEST)).unwrap();
        let old = platter.0.lock().unwrap().clone();
        let new = fs::read(store_dir.join("sled/db")).unwrap();
        differed += usize::from(old != new);
        fs::create_dir_all(lost.join("sled/blobs")).unwrap();
        let beside = fs::read_dir(store_dir.join("sled"))
            .unwrap()
            .map(|entry| Path::new("sled").join(entry.unwrap().file_name()));
        for file in beside.chain(["format".into(), "watermark".into()]).filter(|file| store_dir.join(file).is_file()) {
            fs::copy(store_dir.join(&file), lost.join(&file)).unwrap();
        }
        fs::write(lost.join("sled/db"), some_of(&old, &new, &mut random)).unwrap();
        let found = SledStore::open(&lost, Options::default()).unwrap();
        for (number, sequence) in (0..RUNS).zip(&sequences) {
            let run = run_key(1000 + number, number);
            let there = found.read(&run, 0, usize::MAX).map_or(0, |records| records.len() as u64);
            assert_eq!(there, *sequence, "seed {seed}, round {round}, run {number}");
        }
        let count = found.get(&OrganisationId::local(), "state/7/count").unwrap().unwrap().value;
        assert_eq!(count, round.to_be_bytes());
        assert_eq!(found.check().unwrap().problems, [""; 0], "seed {seed}, round {round}");
        drop(found);
        fs::remove_dir_all(&lost).unwrap();
    }
    assert!(
        *platter.1.lock().unwrap() > 20 && differed > 10,
        "the power went where nothing was at stake: the test is out of date"
    );
}
