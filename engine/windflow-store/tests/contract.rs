//! Both stores keep the contract, and say the same where they are asked the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use windflow_store::suite::differential::{same, step_both};
use windflow_store::suite::sample::Random;
use windflow_store::suite::{check_all, checks};
use windflow_store::{MemoryStore, Options, SledStore};

#[test]
fn memory_keeps_the_contract() {
    check_all(MemoryStore::new);
}

#[test]
fn sled_keeps_the_contract() {
    let mut dirs = Vec::new();
    check_all(|| {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path(), Options::default()).unwrap();
        dirs.push(dir);
        store
    });
}

#[test]
fn sled_keeps_the_contract_with_hardly_any_memory() {
    let mut dirs = Vec::new();
    check_all(|| {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { cache_bytes: 1 << 16, max_pending_bytes: 1000, ..Options::default() };
        let store = SledStore::open(dir.path(), options).unwrap();
        dirs.push(dir);
        store
    });
}

#[test]
fn checks_have_names_of_their_own() {
    let mut names: Vec<_> = checks().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), checks().count());
}

#[test]
fn memory_and_sled_say_the_same() {
    let seeds = if std::env::var_os("WINDFLOW_LONG").is_some() { 200 } else { 12 };
    for seed in 1..=seeds {
        let mut random = Random::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryStore::new();
        let mut sled = SledStore::open(dir.path(), Options::default()).unwrap();
        for number in 0..400 {
            step_both(&mut random, 1000 + number * 5, &memory, &sled);
            if random.below(60) == 0 {
                drop(sled);
                sled = SledStore::open(dir.path(), Options::default()).unwrap();
                memory.reopen();
                same(&memory, &sled);
            }
            if random.below(80) == 0 {
                sled.compact().unwrap();
                same(&memory, &sled);
            }
        }
        same(&memory, &sled);
        assert_eq!(sled.check().unwrap().problems, [""; 0]);
        eprintln!("seed {seed}: the same");
    }
}
