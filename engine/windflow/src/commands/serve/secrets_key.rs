//! The keys that encrypt secrets at rest. They do not lie in the store, so that a copy of the store alone opens nothing.
//!
//! The first key encrypts; those behind it, each on a line of its own, are former ones, which only open. There are some while
//! `windflow secrets rotate-key` is at work, or where it was cut off.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use windflow_core::ports::records::Records;
use windflow_server::{Keys, is_known_key};

use crate::exit::invalid;

pub(crate) const VARIABLE: &str = "WINDFLOW_SECRETS_KEY";

/// More keys than anybody has at once, in bytes.
const MAX_BYTES: u64 = 1024;

/// Where keys are.
pub(crate) enum Place {
    /// In the environment, where only the operator changes them.
    Environment,
    /// In a file.
    File(PathBuf),
}

/// The keys of the environment, else those of the file, which is made where it was not named and is not there.
/// Whoever has opened the store holds it meanwhile: nobody gives it another key.
///
/// # Errors
/// Where these keys do not open what is kept in the store, or there are none and something is.
pub(crate) fn read_or_make(records: &dyn Records, data_dir: &Path, named: Option<&Path>) -> anyhow::Result<Keys> {
    let there = read(data_dir, named)?;
    if !is_known_key(records, there.as_ref())? {
        return Err(other(data_dir));
    }
    there.map_or_else(|| make(data_dir), Ok)
}

/// What is kept in a data folder was encrypted with another key than the one that is there, or there is none.
fn other(data_dir: &Path) -> anyhow::Error {
    invalid(format!(
        "what is kept here was encrypted with another key\n  = put back the `secrets.key` of the server that it comes from, to {}, or its key into {VARIABLE}\n  \
         = where that key is lost: `windflow secrets rotate-key` goes on with another, and tells what has to be set anew",
        data_dir.join("secrets.key").display()
    ))
}

/// The same where there are some.
pub(crate) fn read(data_dir: &Path, named: Option<&Path>) -> anyhow::Result<Option<Keys>> {
    Ok(find(data_dir, named)?.map(|(keys, _)| keys))
}

/// The same with where they are.
pub(crate) fn find(data_dir: &Path, named: Option<&Path>) -> anyhow::Result<Option<(Keys, Place)>> {
    if let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) {
        let wrong = || invalid(format!("{VARIABLE} has to be 64 hexadecimal digits"));
        return parse(&text).map(|keys| Some((keys, Place::Environment))).ok_or_else(wrong);
    }
    let own = data_dir.join("secrets.key");
    let path = named.unwrap_or(&own);
    let cannot = || format!("the key of secrets, {}", path.display());
    match File::open(path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(MAX_BYTES).read_to_string(&mut text).with_context(cannot)?;
            parse(&text)
                .map(|keys| Some((keys, Place::File(path.to_owned()))))
                .ok_or_else(|| invalid(format!("{}: no key, which has 64 hexadecimal digits", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => Err(error).with_context(cannot),
    }
}

/// Puts keys in the place of those of a file: all of them, or what was there stays, whenever the power is lost.
pub(crate) fn replace(path: &Path, keys: &Keys) -> anyhow::Result<()> {
    // A link goes on leading to where the keys are.
    let path = path.canonicalize()?;
    let folder = path.parent().context("it lies in no folder")?;
    // Nobody else may read it, as is so of every file that is made so.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for key in std::iter::once(keys.current()).chain(keys.former()) {
        writeln!(file, "{}", digits(key))?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A key that nobody has had.
pub(crate) fn generate() -> anyhow::Result<[u8; 32]> {
    windflow_server::generate_key().context("the system gives no random numbers")
}

fn digits(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the key of a data folder that has none.
pub(crate) fn make(data_dir: &Path) -> anyhow::Result<Keys> {
    let path = data_dir.join("secrets.key");
    make_file(&path).with_context(|| format!("the key of secrets, {}", path.display()))
}

fn make_file(path: &Path) -> anyhow::Result<Keys> {
    let key = generate()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", digits(&key))?;
    file.sync_all()?;
    Ok(key.into())
}

fn parse(text: &str) -> Option<Keys> {
    let mut keys = text.split_ascii_whitespace().map(one);
    Some(Keys::new(keys.next()??, keys.collect::<Option<_>>()?))
}

fn one(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_digits_and_nothing_else() {
        let parsed = |text: &str| parse(text).map(|keys| (*keys.current(), keys.former().to_vec()));
        let digits = "0f".repeat(32);
        assert_eq!(parsed(&format!("{digits}\n")), Some(([15; 32], vec![])));
        let several = format!("{}\n{digits}\n", "01".repeat(32));
        assert_eq!(parsed(&several), Some(([1; 32], vec![[15; 32]])));
        for bad in ["", "0f", &"0g".repeat(32), &"0f".repeat(33), &"+f".repeat(32), &format!("{digits}\n0f")] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_are_replaced_whole_and_stay_where_a_link_leads() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("key"), dir.path().join("secrets.key"));
        make_file(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, &Keys::new([1; 32], vec![[2; 32], [3; 32]])).unwrap();
        assert!(link.is_symlink());
        let keys = read(dir.path(), None).unwrap().unwrap();
        assert_eq!((keys.current(), keys.former()), (&[1; 32], &[[2; 32], [3; 32]][..]));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
