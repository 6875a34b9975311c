//! Secrets that a program wants as a file.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A text that a program of ours can read by a path, as long as this is there. On Linux the file has no name: whatever becomes of this
/// process, nothing stays on the disk.
pub(super) struct Handed {
    #[cfg(target_os = "linux")]
    _file: File,
    #[cfg(not(target_os = "linux"))]
    _file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Handed {
    #[cfg(target_os = "linux")]
    pub(super) fn new(text: &str) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        let file = written(tempfile::tempfile()?, text)?;
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        Ok(Self { _file: file, path: path.into() })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new(text: &str) -> io::Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        written(file.reopen()?, text)?;
        Ok(Self { path: file.path().to_owned(), _file: file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// For its owner alone before anything is in it: SSH takes no key that others can read.
fn written(mut file: File, text: &str) -> io::Result<File> {
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_read_it_by_its_path_as_long_as_it_is_there() {
        let handed = Handed::new("a secret").unwrap();
        let path = handed.path().to_owned();
        let read = std::process::Command::new("cat").arg(&path).output().unwrap();
        assert_eq!(read.stdout, b"a secret");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(handed);
        assert!(std::fs::read_to_string(&path).is_err());
    }
}
