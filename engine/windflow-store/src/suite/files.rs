//! What a keeper of files of runs promises.

use windflow_core::id::RunKey;
use windflow_core::ports::files::{FilePath, FileStore, FilesError, MAX_FILE_CALL_BYTES, MAX_FILES, MAX_FILES_BYTES};

use super::sample::run_key;

/// A check: its name, and what it does with an empty keeper.
pub type Check = (&'static str, fn(&dyn FileStore));

/// Every check there is.
pub const CHECKS: &[Check] = &[
    ("files are read back, whole and in parts", parts),
    ("a write replaces what is behind its place, and changes nothing when it is made again", writes),
    ("folders are what paths have in common", folders),
    ("a run has so many bytes and no more", bytes),
    ("a run has so many files and no more", many),
    ("the bounds hold for all who write at once", racing),
    ("runs do not see each other's files", runs),
    ("nothing is left of a run that is forgotten", forgotten),
];

/// Runs every check, each with a new keeper.
///
/// # Panics
/// Where a promise is broken; the panic's message is preceded by the name of the check.
pub fn check_all<S: FileStore>(mut files: impl FnMut() -> S) {
    for (name, check) in CHECKS {
        let files = files();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&files)));
        assert!(checked.is_ok(), "the files do not keep the promise {name:?}");
    }
}

fn run() -> RunKey {
    run_key(1, 1)
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn write(files: &dyn FileStore, at: &str, offset: u64, bytes: &[u8]) -> Result<(), FilesError> {
    files.write(&run(), &path(at), offset, bytes)
}

fn content(files: &dyn FileStore, at: &str) -> Result<Vec<u8>, FilesError> {
    files.read(&run(), &path(at), 0, u32::MAX)
}

/// Their paths and lengths.
fn listed(files: &dyn FileStore, below: &str) -> Vec<(String, u64)> {
    let below = (!below.is_empty()).then(|| path(below));
    let listed = files.list(&run(), below.as_ref()).unwrap();
    listed.into_iter().map(|file| (file.path.to_string(), file.bytes)).collect()
}

#[track_caller]
fn refused(result: &Result<(), FilesError>, says: &str) {
    assert!(matches!(result, Err(FilesError::Refused(why)) if why.contains(says)), "{result:?} does not say {says:?}");
}

fn parts(files: &dyn FileStore) {
    assert_eq!(content(files, "a"), Err(FilesError::NotFound));
    assert_eq!(listed(files, ""), []);
    write(files, "a", 0, b"0123456789").unwrap();
    write(files, "empty", 0, b"").unwrap();
    let read = |offset, length| files.read(&run(), &path("a"), offset, length).unwrap();
    assert_eq!(read(0, 100), b"0123456789");
    assert_eq!(
        (read(3, 4), read(8, 4), read(10, 4), read(u64::MAX, 4)),
        (b"3456".into(), b"89".into(), vec![], vec![])
    );
    assert_eq!(content(files, "empty"), Ok(vec![]));
    files.settle(&run()).unwrap();
    assert_eq!(listed(files, ""), [("a".to_owned(), 10), ("empty".to_owned(), 0)]);
}

fn writes(files: &dyn FileStore) {
    for _ in 0..2 {
        write(files, "a", 0, b"first ").unwrap();
        write(files, "a", 6, b"second ").unwrap();
        write(files, "a", 13, b"third").unwrap();
        assert_eq!(content(files, "a").unwrap(), b"first second third");
    }
    write(files, "a", 6, b"and last").unwrap();
    assert_eq!(content(files, "a").unwrap(), b"first and last");
    refused(&write(files, "a", 15, b"x"), "14 bytes long");
    refused(&write(files, "a", u64::MAX, b"x"), "14 bytes long");
    assert_eq!(write(files, "b", 1, b"x"), Err(FilesError::NotFound));
    write(files, "a", 14, b"").unwrap();
    write(files, "a", 0, b"short").unwrap();
    assert_eq!((content(files, "a").unwrap(), listed(files, "")), (b"short".to_vec(), vec![("a".to_owned(), 5)]));
}

fn folders(files: &dyn FileStore) {
    for at in ["a/b/c", "a/b.txt", "a/b/d", "ab", "Ä/é", "a/B"] {
        write(files, at, 0, at.as_bytes()).unwrap();
    }
    let names = |below| listed(files, below).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(""), ["a/B", "a/b.txt", "a/b/c", "a/b/d", "ab", "Ä/é"]);
    assert_eq!(names("a"), ["a/B", "a/b.txt", "a/b/c", "a/b/d"]);
    assert_eq!(
        (names("a/b"), names("ab"), names("x")),
        (vec!["a/b/c".into(), "a/b/d".into()], vec!["ab".into()], vec![])
    );
    // A path is the file or the folder, on every system.
    refused(&write(files, "a", 0, b"x"), "a is a folder");
    refused(&write(files, "ab/c/d", 0, b"x"), "ab is a file");
    assert_eq!(content(files, "a"), Err(FilesError::NotFound));
    assert_eq!(content(files, "a/B").unwrap(), b"a/B");

    let remove = |below: &str| files.remove(&run(), Some(&path(below))).unwrap();
    assert_eq!((remove("a/b"), remove("a/b"), remove("ab"), remove("x")), (2, 0, 1, 0));
    write(files, "ab/c/d", 0, b"x").unwrap();
    assert_eq!(names(""), ["a/B", "a/b.txt", "ab/c/d", "Ä/é"]);
    assert_eq!((files.remove(&run(), None), names("")), (Ok(4), vec![]));
}

fn bytes(files: &dyn FileStore) {
    let piece = vec![7; MAX_FILE_CALL_BYTES];
    for number in 0..MAX_FILES_BYTES / piece.len() as u64 {
        write(files, "large", number * piece.len() as u64, &piece).unwrap();
    }
    refused(&write(files, "more", 0, b"x"), "64 MiB");
    refused(&write(files, "large", MAX_FILES_BYTES, b"x"), "64 MiB");
    write(files, "large", MAX_FILES_BYTES - 1, b"x").unwrap();
    write(files, "none", 0, b"").unwrap();
    assert_eq!(listed(files, "large"), [("large".to_owned(), MAX_FILES_BYTES)]);
    assert_eq!(files.read(&run(), &path("large"), MAX_FILES_BYTES - 2, 9).unwrap(), [7, b'x']);
    files.remove(&run(), Some(&path("large"))).unwrap();
    write(files, "more", 0, b"x").unwrap();
}

fn many(files: &dyn FileStore) {
    for number in 0..MAX_FILES {
        write(files, &format!("{number}"), 0, b"x").unwrap();
    }
    refused(&write(files, "more", 0, b""), "5000 files");
    write(files, "0", 0, b"another").unwrap();
    files.remove(&run(), Some(&path("0"))).unwrap();
    write(files, "more", 0, b"").unwrap();
}

fn racing(files: &dyn FileStore) {
    let piece = vec![7; MAX_FILE_CALL_BYTES];
    let taken = std::thread::scope(|scope| {
        let piece = &piece;
        let begin = |number| scope.spawn(move || write(files, &format!("{number}"), 0, piece).is_ok());
        let threads: Vec<_> = (0..12).map(begin).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|taken| *taken).count()
    });
    assert_eq!(taken as u64, MAX_FILES_BYTES / MAX_FILE_CALL_BYTES as u64);
    assert_eq!(listed(files, "").iter().map(|(_, bytes)| bytes).sum::<u64>(), MAX_FILES_BYTES);
}

fn runs(files: &dyn FileStore) {
    let others = [run_key(1, 2), RunKey { organisation: "other".parse().unwrap(), ..run() }];
    write(files, "a", 0, b"ours").unwrap();
    for other in &others {
        assert_eq!(files.read(other, &path("a"), 0, 9), Err(FilesError::NotFound));
        assert_eq!(files.list(other, None), Ok(vec![]));
        files.write(other, &path("a"), 0, b"theirs").unwrap();
    }
    assert_eq!(content(files, "a").unwrap(), b"ours");
    let mut found = files.runs().unwrap();
    found.sort();
    let mut all = vec![run(), others[0].clone(), others[1].clone()];
    all.sort();
    assert_eq!(found, all);
    files.forget(&others[0]).unwrap();
    assert_eq!(files.read(&others[1], &path("a"), 0, 9).unwrap(), b"theirs");
    assert_eq!(content(files, "a").unwrap(), b"ours");
}

fn forgotten(files: &dyn FileStore) {
    write(files, "a/b", 0, b"x").unwrap();
    files.forget(&run()).unwrap();
    assert_eq!(files.runs(), Ok(vec![]));
    files.forget(&run()).unwrap();
    files.forget(&run_key(1, 2)).unwrap();
}
