//! Files in tests: those of this thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::files::{Error, File};

thread_local! {
    static FILES: RefCell<BTreeMap<String, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

pub(crate) fn read(path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    check(path)?;
    FILES.with_borrow(|files| {
        let content = files.get(path).ok_or(Error::NotFound)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let to = from.saturating_add(length as usize).min(content.len());
        Ok(content[from..to].to_vec())
    })
}

pub(crate) fn write(path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
    check(path)?;
    FILES.with_borrow_mut(|files| {
        let ends = files.get(path).map(Vec::len);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if offset > 0 && ends.is_none() {
            return Err(Error::NotFound);
        }
        if offset > ends.unwrap_or(0) {
            return Err(Error::Refused(format!("{path} ends before {offset}")));
        }
        let content = files.entry(path.to_owned()).or_default();
        content.truncate(offset);
        content.extend_from_slice(bytes);
        Ok(())
    })
}

pub(crate) fn list(below: &str) -> Result<Vec<File>, Error> {
    FILES.with_borrow(|files| {
        let file = |(path, content): (&String, &Vec<u8>)| File { path: path.clone(), bytes: content.len() as u64 };
        Ok(files.iter().filter(|(path, _)| is_below(path, below)).map(file).collect())
    })
}

pub(crate) fn remove(below: &str) -> Result<u32, Error> {
    FILES.with_borrow_mut(|files| {
        let before = files.len();
        files.retain(|path, _| !is_below(path, below));
        Ok(u32::try_from(before - files.len()).unwrap_or(u32::MAX))
    })
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The host knows more rules; these are the ones that nobody should stumble over only there.
fn check(path: &str) -> Result<(), Error> {
    let is_path = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if is_path { Ok(()) } else { Err(Error::Refused(format!("{path:?} is no path of a file of the run"))) }
}
