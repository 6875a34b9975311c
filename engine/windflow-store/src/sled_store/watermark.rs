//! How many batches are durable at least.
//!
//! sled takes damage at the end of its log for a batch that was cut off when the power went, and drops it without a word.
//! So the number of the last durable batch is kept beside the database as well, and a database with fewer is damaged. It
//! is written after the batch became durable and without waiting for the disk: after a loss of power it may be behind,
//! never ahead. It is text of one length, twice, so that a torn write is recognised and ignored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Watermark(File);

impl Watermark {
    /// Opens it, and says how many batches must be there.
    pub(super) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = Vec::new();
        (&mut file as &mut dyn Read).take(64).read_to_end(&mut text)?;
        let batches = parse(&text).unwrap_or(0);
        Ok((Self(file), batches))
    }

    pub(super) fn write(&mut self, batches: u64) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(format!("{batches:020} {batches:020}\n").as_bytes())
    }
}

fn parse(text: &[u8]) -> Option<u64> {
    let (one, two) = std::str::from_utf8(text).ok()?.trim_end().split_once(' ')?;
    if one == two { one.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_what_it_wrote_and_ignores_what_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("watermark");
        let (mut watermark, batches) = Watermark::open(&path).unwrap();
        assert_eq!(batches, 0);
        watermark.write(7).unwrap();
        watermark.write(u64::MAX).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, u64::MAX);
        watermark.write(12).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, 12);
        for torn in ["", "0000", "00000000000000000013 00000000000000000012\n", "x x\n"] {
            std::fs::write(&path, torn).unwrap();
            assert_eq!(Watermark::open(&path).unwrap().1, 0, "{torn}");
        }
    }
}
