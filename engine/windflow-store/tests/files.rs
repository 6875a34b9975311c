//! Files of runs: on the disk and in memory they keep one contract, and what a process leaves behind is found by the next.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and tell"
)]

#[path = "common/child.rs"]
mod child;

use std::path::Path;
use std::process::Command;

use windflow_core::ports::files::{FilePath, FileStore, FilesError};
use windflow_store::suite::files::{CHECKS, check_all};
use windflow_store::suite::sample::run_key;
use windflow_store::{FileOptions, FolderFiles, MemoryFiles};

fn open(folder: &Path) -> FolderFiles {
    FolderFiles::new(folder.join("files"), FileOptions { leave_free: 0 })
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

#[test]
fn memory_keeps_the_contract() {
    check_all(MemoryFiles::new);
}

#[test]
fn a_folder_keeps_the_contract() {
    let mut folders = Vec::new();
    check_all(|| {
        let folder = tempfile::tempdir().unwrap();
        let files = open(folder.path());
        folders.push(folder);
        files
    });
}

#[test]
fn checks_have_names_of_their_own() {
    let mut names: Vec<_> = CHECKS.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn another_process_goes_on_with_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_key(1, 1);
    let files = open(folder.path());
    files.write(&run, &path("Ä b/c"), 0, b"kept").unwrap();
    files.write(&run, &path("gone"), 0, b"x").unwrap();
    files.remove(&run, Some(&path("gone"))).unwrap();
    drop(files);
    let files = open(folder.path());
    assert_eq!(files.read(&run, &path("Ä b/c"), 0, 9).unwrap(), b"kept");
    assert_eq!(files.list(&run, None).unwrap().len(), 1);
    assert_eq!(files.runs(), Ok(vec![run.clone()]));
    files.forget(&run).unwrap();
    let left = std::fs::read_dir(folder.path().join("files/local")).unwrap().count();
    assert_eq!(left, 0);
}

/// The folder of a run belongs to the engine; what it did not put there is not followed, and goes.
#[cfg(unix)]
#[test]
fn what_somebody_else_put_there_is_neither_read_nor_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let run = run_key(1, 1);
    let files = open(folder.path());
    files.write(&run, &path("a"), 0, b"ours").unwrap();
    drop(files);
    let place = folder.path().join("files/local").join(run.run.to_string());
    let name = std::fs::read_dir(&place).unwrap().next().unwrap().unwrap().file_name();
    assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(place.join(&name)).unwrap().permissions().mode() & 0o777, 0o600);
    // Under names that files of the run have, and under others.
    std::fs::remove_file(place.join(&name)).unwrap();
    symlink(&secret, place.join(&name)).unwrap();
    symlink(folder.path(), place.join("elsewhere")).unwrap();
    symlink(&secret, place.join("unfinished")).unwrap();
    std::fs::write(place.join("b".repeat(64)), "x".repeat(500)).unwrap();
    let files = open(folder.path());
    assert_eq!(files.list(&run, None), Ok(vec![]));
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    // Also where it is put there later.
    for planted in [place.join(&name), place.join("unfinished")] {
        symlink(&secret, planted).unwrap();
    }
    assert!(matches!(files.write(&run, &path("a"), 0, b"ours"), Err(FilesError::Unavailable(_))));
    files.forget(&run).unwrap();
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret");
}

#[test]
fn files_of_runs_leave_room_for_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let files = FolderFiles::new(folder.path().join("files"), FileOptions { leave_free: u64::MAX });
    let refused = files.write(&run_key(1, 1), &path("a"), 0, b"x");
    if cfg!(unix) {
        assert!(matches!(&refused, Err(FilesError::Unavailable(why)) if why.contains("nearly full")), "{refused:?}");
    }
}

/// Writes what does not fit into the limit for files that the test below sets.
#[test]
fn child_writes_more_than_fits() {
    let Some(dir) = child::folder() else { return };
    let (files, run) = (open(&dir), run_key(1, 1));
    let half = vec![1; 200 << 10];
    files.write(&run, &path("a"), 0, &half).unwrap();
    for (offset, bytes) in [(0, vec![2; 400 << 10]), (half.len() as u64, half.clone()), (7, vec![2; 400 << 10])] {
        let refused = files.write(&run, &path("a"), offset, &bytes);
        assert!(matches!(&refused, Err(FilesError::Unavailable(_))), "{refused:?}");
        assert_eq!(files.read(&run, &path("a"), 0, u32::MAX).unwrap(), half, "written from {offset} on");
    }
    let refused = files.write(&run, &path("b"), 0, &vec![2; 400 << 10]);
    assert!(matches!(&refused, Err(FilesError::Unavailable(_))), "{refused:?}");
    assert_eq!(files.list(&run, None).unwrap().len(), 1);
    let place = dir.join("files/local").join(run.run.to_string());
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 1, "something half written is left");
    drop(files);
    assert_eq!(open(&dir).read(&run, &path("a"), 0, u32::MAX).unwrap(), half);
    println!("\nall held");
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    // 300 KiB, in blocks of 512 bytes.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""]);
    child::behind(&mut shell, "child_writes_more_than_fits", dir.path());
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("all held"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
