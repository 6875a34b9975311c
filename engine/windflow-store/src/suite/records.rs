//! What a keeper of values under keys promises.

use std::sync::atomic::{AtomicUsize, Ordering};

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{
    Change, Expected, MAX_RECORD_KEY_BYTES, MAX_RECORD_VALUE_BYTES, Records, RecordsError,
};

use super::wait;

/// A check: its name, and what it does with an empty store.
pub type Check = (&'static str, fn(&dyn Records));

/// Every check there is.
pub const CHECKS: &[Check] = &[
    ("values of every size are read back, and replaced by shorter and longer ones", sizes),
    ("a change finds what it expects, or nothing changes", expectations),
    ("versions grow, also across deletions", versions_grow),
    ("a batch is made whole or not at all, over organisations too", batches),
    ("a scan gives all of a prefix by key, page by page", scans),
    ("organisations do not see each other's values", organisations),
    ("what is beyond a bound is refused", bounds),
    ("what is durable can be waited for", durable),
    ("of those who change the same version at once, one wins", racing),
    ("reads never give parts of two values", whole_reads),
];

/// Runs every check, each with a new store.
///
/// # Panics
/// Where a promise is broken; the panic's message is preceded by the name of the check.
pub fn check_all<S: Records>(mut store: impl FnMut() -> S) {
    for (name, check) in CHECKS {
        let store = store();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&store)));
        assert!(checked.is_ok(), "the store does not keep the promise {name:?}");
    }
}

fn local() -> OrganisationId {
    OrganisationId::local()
}

fn value(store: &dyn Records, key: &str) -> Option<Vec<u8>> {
    store.get(&local(), key).unwrap().map(|stored| stored.value)
}

fn content(bytes: usize, seed: usize) -> Vec<u8> {
    (0..bytes).map(|place| ((place + seed) % 251) as u8).collect()
}

fn sizes(store: &dyn Records) {
    assert_eq!(value(store, "a"), None);
    for (seed, size) in [0, 1, 7159, 7160, 7161, 20_000, 3, MAX_RECORD_VALUE_BYTES, 14_328, 0].into_iter().enumerate() {
        let position = store.put(&local(), "a", Expected::Any, content(size, seed)).unwrap().position;
        assert!(value(store, "a") == Some(content(size, seed)), "{size} bytes, pending");
        wait(store.durable(position)).unwrap();
        assert!(value(store, "a") == Some(content(size, seed)), "{size} bytes, durable");
        let page = store.scan(&local(), "", None, 10).unwrap();
        assert!(page.items.len() == 1 && page.items[0].value == content(size, seed), "{size} bytes, listed");
    }
    store.delete(&local(), "a", Expected::Any).unwrap();
    assert_eq!(value(store, "a"), None);
    assert!(store.scan(&local(), "", None, 10).unwrap().items.is_empty());
}

fn expectations(store: &dyn Records) {
    let first = store.put(&local(), "a", Expected::Absent, b"1".to_vec()).unwrap().version;
    let error = store.put(&local(), "a", Expected::Absent, b"2".to_vec()).unwrap_err();
    assert_eq!(error, RecordsError::Conflict { key: "a".to_owned(), actual: Some(first) });
    let second = store.put(&local(), "a", Expected::Version(first), b"2".to_vec()).unwrap().version;
    assert!(store.put(&local(), "a", Expected::Version(first), b"3".to_vec()).is_err());
    assert!(store.delete(&local(), "a", Expected::Version(first)).is_err());
    assert_eq!(value(store, "a"), Some(b"2".to_vec()));
    assert_eq!(store.get(&local(), "a").unwrap().unwrap().version, second);
    store.delete(&local(), "a", Expected::Version(second)).unwrap();
    assert!(store.put(&local(), "a", Expected::Version(second), b"4".to_vec()).is_err());
    assert_eq!(value(store, "a"), None);
    store.delete(&local(), "never", Expected::Any).unwrap();
}

fn versions_grow(store: &dyn Records) {
    let mut last = 0;
    for round in 0..20_u8 {
        let version = store.put(&local(), "a", Expected::Absent, vec![round]).unwrap().version;
        assert!(version > last);
        let deleted = store.delete(&local(), "a", Expected::Version(version)).unwrap();
        last = deleted.version;
        if round % 5 == 0 {
            wait(store.durable(deleted.position)).unwrap();
        }
    }
}

fn batches(store: &dyn Records) {
    let other: OrganisationId = "other".parse().unwrap();
    let put = |organisation: &OrganisationId, key: &str, expected| Change::put(organisation, key, expected, "x");
    store.batch(vec![put(&local(), "a", Expected::Absent), put(&other, "b", Expected::Absent)]).unwrap();
    let failing = vec![
        put(&local(), "c", Expected::Absent),
        Change::delete(&local(), "a", Expected::Any),
        put(&other, "b", Expected::Absent),
    ];
    assert!(matches!(store.batch(failing), Err(RecordsError::Conflict { key, .. }) if key == "b"));
    assert_eq!((value(store, "a"), value(store, "c")), (Some(b"x".to_vec()), None));
    let both = vec![Change::delete(&local(), "a", Expected::Any), put(&local(), "c", Expected::Absent)];
    store.batch(both).unwrap();
    assert_eq!((value(store, "a"), value(store, "c")), (None, Some(b"x".to_vec())));
}

fn scans(store: &dyn Records) {
    let keys: Vec<String> = ["b", "a/", "a/1", "a/10", "a/2", "a", "a/1/x", "é"].map(String::from).to_vec();
    for key in &keys {
        store.put(&local(), key, Expected::Absent, content(if key == "a/1" { 30_000 } else { 3 }, 1)).unwrap();
    }
    for (prefix, expect) in [
        ("", vec!["a", "a/", "a/1", "a/1/x", "a/10", "a/2", "b", "é"]),
        ("a/", vec!["a/", "a/1", "a/1/x", "a/10", "a/2"]),
        ("a/1", vec!["a/1", "a/1/x", "a/10"]),
        ("z", vec![]),
    ] {
        for limit in 1..=9 {
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = store.scan(&local(), prefix, after.as_deref(), limit).unwrap();
                assert!(page.items.len() <= limit);
                found.extend(page.items.into_iter().map(|item| item.key));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expect, "{prefix:?} in pages of {limit}");
        }
    }
    let behind = store.scan(&local(), "a/", Some("a/1/nowhere"), 2).unwrap();
    assert_eq!(behind.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["a/1/x", "a/10"]);
    let before = store.scan(&local(), "b", Some("a"), 2).unwrap();
    assert_eq!(before.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["b"]);
}

fn organisations(store: &dyn Records) {
    let other: OrganisationId = "local2".parse().unwrap();
    store.put(&other, "a", Expected::Absent, b"theirs".to_vec()).unwrap();
    assert_eq!(value(store, "a"), None);
    assert!(store.scan(&local(), "", None, 10).unwrap().items.is_empty());
    store.put(&local(), "a", Expected::Absent, b"ours".to_vec()).unwrap();
    assert_eq!(store.scan(&local(), "", None, 10).unwrap().items.len(), 1);
    store.delete(&local(), "a", Expected::Any).unwrap();
    assert_eq!(store.get(&other, "a").unwrap().unwrap().value, b"theirs");
}

fn bounds(store: &dyn Records) {
    let refused = |key: &str, bytes: usize| {
        let result = store.put(&local(), key, Expected::Any, vec![0; bytes]);
        assert!(matches!(result, Err(RecordsError::Refused(_))), "{bytes} bytes under {key:?}");
    };
    refused("", 1);
    refused("a\0b", 1);
    refused(&"k".repeat(MAX_RECORD_KEY_BYTES + 1), 1);
    refused("a", MAX_RECORD_VALUE_BYTES + 1);
    store.put(&local(), &"k".repeat(MAX_RECORD_KEY_BYTES), Expected::Any, vec![1]).unwrap();
}

fn durable(store: &dyn Records) {
    let first = store.put(&local(), "a", Expected::Any, vec![1]).unwrap();
    let second = store.put(&local(), "a", Expected::Any, vec![2]).unwrap();
    assert!(second.position > first.position);
    wait(store.durable(second.position)).unwrap();
    wait(store.durable(first.position)).unwrap();
    assert_eq!(value(store, "a"), Some(vec![2]));
}

fn racing(store: &dyn Records) {
    let won = AtomicUsize::new(0);
    store.put(&local(), "n", Expected::Absent, 0_u32.to_be_bytes().to_vec()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let stored = store.get(&local(), "n").unwrap().unwrap();
                    let number = u32::from_be_bytes(stored.value.try_into().unwrap()) + 1;
                    let put =
                        store.put(&local(), "n", Expected::Version(stored.version), number.to_be_bytes().to_vec());
                    won.fetch_add(usize::from(put.is_ok()), Ordering::SeqCst);
                }
            });
        }
    });
    let number = u32::from_be_bytes(value(store, "n").unwrap().try_into().unwrap());
    assert_eq!(usize::try_from(number).unwrap(), won.load(Ordering::SeqCst), "a change was lost");
    assert!(number > 0);
}

fn whole_reads(store: &dyn Records) {
    let uniform = |value: &[u8]| value.windows(2).all(|pair| pair[0] == pair[1]);
    store.put(&local(), "a", Expected::Absent, vec![0; 30_000]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..60_u8 {
                let put = store.put(&local(), "a", Expected::Any, vec![round; 20_000 + usize::from(round) * 100]);
                wait(store.durable(put.unwrap().position)).unwrap();
            }
        });
        while !writer.is_finished() {
            assert!(uniform(&value(store, "a").unwrap()), "a value of two halves");
            let page = store.scan(&local(), "a", None, 1).unwrap();
            assert!(uniform(&page.items[0].value), "a listed value of two halves");
        }
    });
}
