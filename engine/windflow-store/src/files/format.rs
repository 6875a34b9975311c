//! How a file of a run lies on the disk: under the digest of its path, so that no name that a guest chooses ever becomes a name
//! of the machine's, with the path itself before its content.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use windflow_core::id::Digest;
use windflow_core::ports::files::{FilePath, MAX_FILE_PATH_BYTES};

/// What a file begins with: four bytes that name the format, the length of the path, the path, and nothing up to here.
pub(super) const HEADER: u64 = 256;

const MAGIC: &[u8; 4] = b"WFF1";

/// The name under which the file of a path lies.
pub(super) fn name(path: &FilePath) -> String {
    Digest::of(path.as_str().as_bytes()).0.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn write_header(file: &mut File, path: &FilePath) -> io::Result<()> {
    let mut header = [0; HEADER as usize];
    let text = path.as_str().as_bytes();
    header[..4].copy_from_slice(MAGIC);
    // A path has 200 bytes at most.
    header[4] = u8::try_from(text.len()).unwrap_or(u8::MAX);
    header[5..5 + text.len().min(MAX_FILE_PATH_BYTES)].copy_from_slice(text);
    file.write_all(&header)
}

/// The path of a file, and how long its content is; nothing where it is none of ours, or was never whole.
pub(super) fn read_header(at: &Path, called: &str) -> io::Result<Option<(FilePath, u64)>> {
    let mut file = open(OpenOptions::new().read(true), at)?;
    let length = file.metadata()?.len();
    let mut header = [0; HEADER as usize];
    if length < HEADER {
        return Ok(None);
    }
    file.read_exact(&mut header)?;
    let text = header.get(5..5 + usize::from(header[4])).and_then(|text| std::str::from_utf8(text).ok());
    let path = text.filter(|_| header.starts_with(MAGIC)).and_then(|text| text.parse::<FilePath>().ok());
    Ok(path.filter(|path| name(path) == called).map(|path| (path, length - HEADER)))
}

/// Opens a file, and never what a link points to.
pub(super) fn open(options: &mut OpenOptions, at: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(at)
}
