//! The write-ahead log: what makes an append durable with one write and one sync of one file.
//!
//! sled makes a batch durable by two writes that its own threads do and wait for, one after the other, and both wake all of
//! these threads; only then can its file be synced. So a batch is written here first and synced, and sled is given it
//! afterwards without waiting for anything. Once the log is full, sled is flushed and synced instead, and the log begins
//! again. After a crash the next opening gives sled what it may not have.
//!
//! # The file
//!
//! It lies in the folder of its database, and goes with it. **Frozen**, since a later release may find one that a crash
//! left. One record after the other, numbers big-endian:
//!
//! | Bytes | Content |
//! |---|---|
//! | 4 | length of what follows the checksum |
//! | 4 | CRC-32 of that |
//! | 24 | what the database counts after the batch: [`Totals::to_bytes`]; its first 8 bytes number the batch |
//! | the rest | changes: section (1), length of the key (4), the key, length of the value (4; all ones where the key is removed), the value |
//!
//! The records of a log have numbers without a gap. What begins again overwrites what was there, so that behind its last
//! record there may be older ones, or half of one that was being written when the power went: the first that does not
//! fit its checksum or is not the next one is the end. Whether it ends too early the [watermark](super::watermark) says.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::changes::{Change, Changes};
use super::disk::Disk;
use super::layout::{PART_BYTES, Section};
use super::totals::Totals;

/// How long the file is.
const MAX_BYTES: u64 = 128 << 10;

/// How much sled may have written before its file is synced: after the batch with which it is more, as far as that is reckoned.
///
/// It takes a segment of its file for free, and writes over it, once what replaced its content was written more than a segment
/// ago. But it does not make sure that the disk has that, so that without power both could be gone.
const SEGMENT_BYTES: usize = 512 << 10;

/// What a change costs sled beside itself, in sections whose values are large and in others: with about every tenth to one of its
/// pages, which have up to 16 entries, it writes the page anew.
const LARGE_SHARE: usize = 16 * PART_BYTES / 10;
const SMALL_SHARE: usize = 1 << 10;

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// Stands for the length of a value where there is none.
const REMOVED: u32 = u32::MAX;

/// The log of a database.
#[derive(Debug)]
pub(super) struct WriteAhead {
    file: File,
    path: PathBuf,
    /// Where the next record goes.
    end: u64,
    /// How long the file is.
    length: u64,
    /// Something is not in it: until it begins again, it takes nothing.
    closed: bool,
    /// What sled may have written since its file was synced.
    given: usize,
    /// Something was written that is not synced.
    unsynced: bool,
}

/// A batch, as the log has it.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) totals: Totals,
    pub(super) changes: Changes,
}

impl WriteAhead {
    /// The file of a database's log.
    pub(super) fn path(database: &Path) -> PathBuf {
        database.join("write-ahead")
    }

    /// Opens the log of a database, which is made where it is missing, and reads what is in it. It begins again: whoever
    /// opened it makes sure first that the database has all of that, durably.
    pub(super) fn open(database: &Path) -> io::Result<(Self, Vec<Logged>)> {
        let path = Self::path(database);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let mut bytes = Vec::new();
        (&mut file as &mut dyn Read).take(MAX_BYTES).read_to_end(&mut bytes)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        Ok((Self { file, path, end: 0, length, closed: false, given: 0, unsynced: false }, read(&bytes)))
    }

    /// Writes a batch behind the others, without waiting for the disk. False: there is no room for it, and the log takes
    /// nothing any more until it begins again.
    pub(super) fn append(&mut self, totals: Totals, changes: &Changes) -> io::Result<bool> {
        self.given += changes.iter().map(cost).sum::<usize>();
        let record = if self.closed { None } else { encode(totals, changes) };
        let Some(mut record) = record.filter(|record| self.end + bytes(record) <= MAX_BYTES) else {
            self.closed = true;
            return Ok(false);
        };
        let end = self.end + bytes(&record);
        // Should it fail half-way, the next opening takes this for the end.
        self.closed = true;
        self.unsynced = true;
        if end > self.length {
            // All of it at once: syncing is quicker where the file does not become longer.
            record.resize(usize::try_from(MAX_BYTES - self.end).unwrap_or(record.len()), 0);
            self.file.write_all(&record)?;
            self.file.seek(SeekFrom::Start(end))?;
            self.length = MAX_BYTES;
        } else {
            self.file.write_all(&record)?;
        }
        (self.end, self.closed) = (end, false);
        Ok(true)
    }

    /// Whether the database has to be synced: it was given something that is not here, or much.
    pub(super) fn is_due(&self) -> bool {
        self.closed || self.given > SEGMENT_BYTES
    }

    /// Waits until what was written survives the loss of power.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.unsynced {
            disk.sync_data(&self.file, &self.path)?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Begins again: the database has everything, durably.
    pub(super) fn begin_again(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        (self.end, self.closed, self.given, self.unsynced) = (0, false, 0, false);
        Ok(())
    }
}

fn cost(change: &Change) -> usize {
    let share = if change.section.is_packed() { LARGE_SHARE } else { SMALL_SHARE };
    share + change.key.len() + change.value.as_ref().map_or(0, |value| value.len())
}

fn bytes(record: &[u8]) -> u64 {
    u64::try_from(record.len()).unwrap_or(u64::MAX)
}

/// The record of a batch; none where it is too long.
fn encode(totals: Totals, changes: &Changes) -> Option<Vec<u8>> {
    let mut record = vec![0; HEAD_BYTES];
    record.extend_from_slice(&totals.to_bytes());
    for change in changes.iter() {
        record.push(change.section as u8);
        put(&mut record, &change.key)?;
        match &change.value {
            Some(value) => put(&mut record, value)?,
            None => record.extend_from_slice(&REMOVED.to_be_bytes()),
        }
        // It would be written for nothing.
        if bytes(&record) > MAX_BYTES {
            return None;
        }
    }
    let (head, body) = record.split_at_mut_checked(HEAD_BYTES)?;
    let (length, checksum) = head.split_at_mut_checked(4)?;
    length.copy_from_slice(&u32::try_from(body.len()).ok()?.to_be_bytes());
    checksum.copy_from_slice(&crc32fast::hash(body).to_be_bytes());
    Some(record)
}

fn put(record: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length != REMOVED)?;
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(bytes);
    Some(())
}

/// The batches of a log, up to its end.
fn read(mut bytes: &[u8]) -> Vec<Logged> {
    let mut all: Vec<Logged> = Vec::new();
    while let Some(logged) = next(&mut bytes) {
        let follows = all.last().is_none_or(|last| last.totals.batches.checked_add(1) == Some(logged.totals.batches));
        if !follows {
            break;
        }
        all.push(logged);
    }
    all
}

fn next(bytes: &mut &[u8]) -> Option<Logged> {
    let length = number(bytes)?;
    let checksum = number(bytes)?;
    let mut body = take(bytes, length)?;
    if crc32fast::hash(body) != checksum {
        return None;
    }
    let totals = Totals::from_bytes(take(&mut body, 24)?)?;
    let mut changes = Changes::default();
    while let Some((&section, rest)) = body.split_first() {
        body = rest;
        let section = *Section::ALL.get(usize::from(section))?;
        let length = number(&mut body)?;
        let key = take(&mut body, length)?;
        match number(&mut body)? {
            REMOVED => changes.remove(section, key),
            length => changes.copy(section, key.into(), take(&mut body, length)?.into()),
        }
    }
    Some(Logged { totals, changes })
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

fn take<'a>(bytes: &mut &'a [u8], length: u32) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sled_store::disk::RealDisk;

    fn totals(batches: u64) -> Totals {
        Totals { batches, live: 2, runs: 3 }
    }

    fn batch(value: &str) -> Changes {
        let mut changes = Changes::default();
        changes.copy(Section::Runs, b"key".into(), value.into());
        changes.remove(Section::Journal, b"gone".as_slice());
        changes
    }

    fn reopen(dir: &Path) -> Vec<(u64, String)> {
        let (_, logged) = WriteAhead::open(dir).unwrap();
        let value = |changes: &Changes| {
            let all: Vec<_> = changes.iter().collect();
            assert_eq!((all.len(), all[0].section, &*all[0].key), (2, Section::Runs, b"key".as_slice()));
            assert_eq!((all[1].section, &*all[1].key, &all[1].value), (Section::Journal, b"gone".as_slice(), &None));
            String::from_utf8(all[0].value.as_ref().unwrap().to_vec()).unwrap()
        };
        logged.iter().map(|logged| (logged.totals.batches, value(&logged.changes))).collect()
    }

    #[test]
    fn what_was_written_is_read_up_to_where_it_was_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, logged) = WriteAhead::open(dir.path()).unwrap();
        assert!(logged.is_empty());
        for number in 5..8 {
            assert!(log.append(totals(number), &batch(&number.to_string())).unwrap());
        }
        log.sync(&RealDisk).unwrap();
        let all = [(5, "5".to_owned()), (6, "6".to_owned()), (7, "7".to_owned())];
        assert_eq!(reopen(dir.path()), all);
        let end = usize::try_from(log.end).unwrap();
        let path = WriteAhead::path(dir.path());
        let whole = fs::read(&path).unwrap();
        assert_eq!(bytes(&whole), MAX_BYTES);
        for cut in 0..end {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(reopen(dir.path()), all[..cut * 3 / end]);
            let mut torn = whole.clone();
            torn[cut] ^= 0x40;
            fs::write(&path, &torn).unwrap();
            assert_eq!(reopen(dir.path()), all[..cut * 3 / end], "byte {cut}");
        }
    }

    #[test]
    fn what_begins_again_forgets_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = WriteAhead::open(dir.path()).unwrap();
        for number in 1..=9 {
            log.append(totals(number), &batch("old")).unwrap();
        }
        log.begin_again().unwrap();
        // Nothing was lost: the database has it, and it may be given it again.
        assert_eq!(reopen(dir.path()).len(), 9);
        log.append(totals(10), &batch("new")).unwrap();
        assert_eq!(reopen(dir.path()), [(10, "new".to_owned())]);
        log.append(totals(11), &batch("a longer one")).unwrap();
        assert_eq!(reopen(dir.path()).len(), 2);
    }

    #[test]
    fn a_full_log_takes_nothing_until_it_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = WriteAhead::open(dir.path()).unwrap();
        let mut number = 1;
        while log.append(totals(number), &batch(&"x".repeat(2000))).unwrap() {
            number += 1;
        }
        assert!(number > 60 && log.is_due());
        assert!(!log.append(totals(number + 1), &batch("small")).unwrap());
        assert_eq!(fs::metadata(&log.path).unwrap().len(), MAX_BYTES);
        assert_eq!(reopen(dir.path()).len() as u64, number - 1);
        log.begin_again().unwrap();
        assert!(!log.append(totals(number), &batch(&"x".repeat(usize::try_from(MAX_BYTES).unwrap()))).unwrap());
        log.begin_again().unwrap();
        assert!(log.append(totals(number), &batch("small")).unwrap());
    }

    #[test]
    fn the_database_is_due_before_sled_has_written_a_segment() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = WriteAhead::open(dir.path()).unwrap();
        let mut number = 1;
        while !log.is_due() {
            assert!(log.append(totals(number), &batch("v")).unwrap());
            number += 1;
        }
        // Each batch has two changes to pages that may be full of large values.
        assert_eq!(number - 1, 23);
        log.begin_again().unwrap();
        assert!(!log.is_due());
    }

    /// Frozen: what a crash left behind is read by later releases.
    #[test]
    fn the_file_is_as_it_always_was() {
        let record = encode(totals(1), &batch("v")).unwrap();
        let text: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
        let counted = "000000000000000100000000000000020000000000000003";
        let changes = "01000000036b65790000000176".to_owned() + "0000000004676f6e65ffffffff";
        assert_eq!(text, format!("0000003202132b38{counted}{changes}"));
    }
}
