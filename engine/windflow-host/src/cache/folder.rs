//! A folder that only this user can read or write, and its key.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

const KEY_NAME: &str = "key";
const KEY_BYTES: usize = 32;

/// Compiled code of the largest component that is taken is below this.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A private folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens the folder, or makes it. An existing one must be this user's own and closed to everybody else.
    pub(super) fn open(path: &Path) -> Result<Self> {
        make(path)?;
        let metadata = std::fs::symlink_metadata(path)?;
        if !metadata.is_dir() {
            return Err(refuse("it is no folder"));
        }
        check_private(&metadata)?;
        Ok(Self(path.to_owned()))
    }

    /// The key, made at the first use.
    pub(super) fn key(&self) -> Result<[u8; KEY_BYTES]> {
        let damaged = |_| refuse("its key is damaged; remove the folder");
        if let Some(key) = self.read(Path::new(KEY_NAME))? {
            return key.try_into().map_err(damaged);
        }
        let temporary = self.write_temporary(&[&random::<KEY_BYTES>()?])?;
        // Two processes may start at once: linking fails for the second, which then reads the key of the first.
        let linked = std::fs::hard_link(&temporary, self.0.join(KEY_NAME));
        std::fs::remove_file(&temporary)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let key = self.read(Path::new(KEY_NAME))?.ok_or_else(|| refuse("its key vanished"))?;
        key.try_into().map_err(damaged)
    }

    /// The content of a file; nothing where there is none. What is checked is the open file, not its name.
    pub(super) fn read(&self, name: &Path) -> Result<Option<Vec<u8>>> {
        let file = match open_no_follow(&self.0.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
            return Err(refuse("it is no file of ours"));
        }
        check_private(&metadata)?;
        let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        file.take(MAX_FILE_BYTES).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// Writes a file in one step: readers see all of it or nothing.
    pub(super) fn write(&self, name: &Path, parts: &[&[u8]]) -> Result<()> {
        let temporary = self.write_temporary(parts)?;
        std::fs::rename(&temporary, self.0.join(name)).inspect_err(|_| {
            let _ = std::fs::remove_file(&temporary);
        })
    }

    fn write_temporary(&self, parts: &[&[u8]]) -> Result<PathBuf> {
        let path = self.0.join(format!("new-{:016x}", u64::from_le_bytes(random()?)));
        let written = create_private(&path).and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)));
        if let Err(error) = written {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        Ok(path)
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::other("the system gives no random bytes"))?;
    Ok(bytes)
}

fn refuse(why: &str) -> Error {
    Error::new(ErrorKind::PermissionDenied, why)
}

#[cfg(unix)]
fn make(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(unix)]
fn check_private(metadata: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse("it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(refuse("other users may open it; close it with chmod go-rwx"));
    }
    Ok(())
}

#[cfg(unix)]
fn open_no_follow(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Neither a link to elsewhere is followed, nor does a pipe in place of the file block.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(unix)]
fn create_private(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

// Elsewhere the folder lies in the user's profile, which the system keeps private; the HMAC holds everywhere.
#[cfg(not(unix))]
fn make(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn check_private(_: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn open_no_follow(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
