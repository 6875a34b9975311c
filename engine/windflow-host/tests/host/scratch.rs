//! Files of the run are used where every key agrees, under names of the run's own, and nowhere else.

use std::sync::{Arc, Mutex};

use serde_json::json;
use windflow_core::failure::{FailureKind, RetryHint};
use windflow_core::id::RunKey;
use windflow_core::ports::files::{FileEntry, FilePath, FileStore, FilesError};
use windflow_host::PluginHost;

use crate::support::{Attempt, guest, host};

/// Writes down what is asked of it.
#[derive(Default)]
struct Book(Mutex<Vec<String>>);

impl Book {
    fn note(&self, run: &RunKey, what: &str, path: Option<&FilePath>) {
        let path = path.map_or("", FilePath::as_str);
        self.0.lock().unwrap().push(format!("{} {what} {path}", run.organisation));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl FileStore for Book {
    fn read(&self, run: &RunKey, path: &FilePath, _: u64, _: u32) -> Result<Vec<u8>, FilesError> {
        self.note(run, "read", Some(path));
        if path.as_str() == "absent" { Err(FilesError::NotFound) } else { Ok(b"\"there\"".to_vec()) }
    }

    fn write(&self, run: &RunKey, path: &FilePath, _: u64, _: &[u8]) -> Result<(), FilesError> {
        self.note(run, "write", Some(path));
        if path.as_str() == "full" { Err(FilesError::Unavailable("no room".to_owned())) } else { Ok(()) }
    }

    fn list(&self, run: &RunKey, below: Option<&FilePath>) -> Result<Vec<FileEntry>, FilesError> {
        self.note(run, "list", below);
        Ok(vec![FileEntry { path: "a".parse().unwrap(), bytes: 1 }])
    }

    fn remove(&self, run: &RunKey, below: Option<&FilePath>) -> Result<u32, FilesError> {
        self.note(run, "remove", below);
        Ok(2)
    }

    fn settle(&self, run: &RunKey) -> Result<(), FilesError> {
        self.note(run, "settle", None);
        Ok(())
    }

    fn forget(&self, _: &RunKey) -> Result<(), FilesError> {
        unreachable!("runs end elsewhere")
    }

    fn runs(&self) -> Result<Vec<RunKey>, FilesError> {
        unreachable!("runs are looked for elsewhere")
    }
}

fn using() -> PluginHost {
    let host = host();
    host.install(guest("files", &json!({ "files": true }))).unwrap();
    host
}

fn attempt(book: &Arc<Book>, granted: bool, what: &str) -> Attempt {
    let mut attempt = Attempt::of("files").config(what);
    attempt.grants.files = granted;
    attempt.files = Some(Arc::clone(book) as Arc<dyn FileStore>);
    attempt
}

#[tokio::test]
async fn what_a_guest_wants_is_done_in_the_name_of_its_run() {
    let (host, book) = (using(), Arc::new(Book::default()));
    attempt(&book, true, "ra/b").gives(&host, "\"there\"").await;
    attempt(&book, true, "l").gives(&host, "1").await;
    // What changed something is on the disk before anybody is told how the attempt ended.
    assert_eq!(book.asked(), ["local read a/b", "local list "]);
    attempt(&book, true, "wa/b").gives(&host, "\"seen\"").await;
    attempt(&book, true, "da").gives(&host, "2").await;
    assert_eq!(book.asked(), ["local write a/b", "local settle ", "local remove a", "local settle "]);
    attempt(&book, true, "rabsent").fails(&host, FailureKind::Node, "not_found").await;
    attempt(&book, true, "wfull").fails(&host, FailureKind::Node, "no room").await;
}

#[tokio::test]
async fn what_the_workflow_does_not_grant_is_denied_with_the_line_to_add() {
    let (host, book) = (using(), Arc::new(Book::default()));
    for what in ["ra", "wa", "l", "da"] {
        let denied = attempt(&book, false, what);
        let failure = denied.fails(&host, FailureKind::Denied, "permissions: { files: true }").await;
        assert_eq!(failure.retry, RetryHint::Never);
    }
    assert_eq!(book.asked(), [""; 0]);
}

#[tokio::test]
async fn where_there_is_no_folder_the_node_hears_so() {
    let mut attempt = attempt(&Arc::default(), true, "ra");
    attempt.files = None;
    attempt.fails(&using(), FailureKind::Node, "no folder for them").await;
}

#[test]
fn whoever_does_not_ask_for_it_is_not_installed() {
    let error = host().install(guest("files", &json!({}))).unwrap_err().to_string();
    assert!(error.contains("files = true"), "{error}");
}
