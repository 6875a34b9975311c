//! A pack of git: what is in it, with everything bounded, since a server wrote it.
//!
//! The pack stays as it came; objects are inflated when they are asked for. Git's own description of the format is
//! gitformat-pack(5).

use std::collections::HashMap;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use sha1::{Digest as _, Sha1};

/// Most objects of a pack.
const OBJECTS: usize = 50_000;
/// Largest object, in bytes.
pub(crate) const OBJECT_BYTES: usize = 8 << 20;
/// Longest row of differences that an object is made of.
const CHAIN: usize = 300;
/// All bytes that are inflated of one pack: a pack that only costs time ends here.
const WORK: usize = 1 << 30;

/// The name of an object: the hash of its content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id(pub(crate) [u8; 20]);

impl Id {
    /// Reads 40 hexadecimal digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut id = [0; 20];
        if digits.len() != 40 {
            return None;
        }
        for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(id))
    }

    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// What an entry is made of.
#[derive(Clone, Copy)]
enum Made {
    Whole(Kind),
    /// Of the entry with this number.
    Of(u32),
    /// Of the object with this name.
    OfId(Id),
}

struct Entry {
    made: Made,
    /// Where its compressed data is.
    at: usize,
    /// How long it is when it is inflated.
    size: usize,
}

/// A pack that was read.
pub(crate) struct Pack {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    by_id: HashMap<Id, u32>,
    work: usize,
}

type Read<T> = Result<T, String>;

impl Pack {
    /// Reads what is in a pack, and checks that it came whole.
    pub(crate) fn read(bytes: Vec<u8>) -> Read<Self> {
        let cut = || "it is cut off".to_owned();
        let content = bytes.len().checked_sub(20).ok_or_else(cut)?;
        let number = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
        if !bytes.starts_with(b"PACK") || number(4) != Some(2) {
            return Err("it is no pack of version 2".to_owned());
        }
        if Sha1::digest(&bytes[..content]).as_slice() != &bytes[content..] {
            return Err("it is cut off or damaged: its checksum does not fit".to_owned());
        }
        let count = number(8).ok_or_else(cut)? as usize;
        if count > OBJECTS {
            return Err(format!("it has {count} objects; at most {OBJECTS} are taken"));
        }
        let mut pack = Self { bytes, entries: Vec::new(), by_id: HashMap::new(), work: 0 };
        let mut starts = HashMap::new();
        let mut at = 12;
        for number in 0..count {
            starts.insert(at, u32::try_from(number).unwrap_or(u32::MAX));
            let (entry, end) = pack.entry(at, content, &starts)?;
            pack.entries.push(entry);
            at = end;
        }
        if at != content {
            return Err("there is something behind its objects".to_owned());
        }
        pack.name_all()?;
        Ok(pack)
    }

    /// The object of a name.
    pub(crate) fn object(&mut self, id: &Id) -> Read<(Kind, Vec<u8>)> {
        let number = *self.by_id.get(id).ok_or_else(|| format!("it lacks the object {}", id.hex()))?;
        self.content(number)?.ok_or_else(|| format!("it lacks what the object {} is made of", id.hex()))
    }

    /// The names of all objects, in order.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn ids(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.by_id.keys().copied().collect();
        ids.sort_unstable_by_key(|id| id.0);
        ids
    }

    /// The entry that begins here, and where the next one does.
    fn entry(&mut self, start: usize, end: usize, starts: &HashMap<usize, u32>) -> Read<(Entry, usize)> {
        let mut bytes = self.bytes[..end].iter().copied().enumerate().skip(start);
        let mut next = || bytes.next().ok_or_else(|| "it is cut off".to_owned());
        let (mut at, first) = next()?;
        let (mut size, mut shift, mut byte) = (usize::from(first & 15), 4, first);
        while byte & 0x80 != 0 {
            (at, byte) = next()?;
            // No object is so large that more were needed.
            if shift > 25 {
                return Err("an object is too large".to_owned());
            }
            size |= usize::from(byte & 0x7f) << shift;
            shift += 7;
        }
        if size > OBJECT_BYTES {
            return Err(format!("an object has {size} bytes; at most {} MiB are taken", OBJECT_BYTES >> 20));
        }
        let made = match first >> 4 & 7 {
            1 => Made::Whole(Kind::Commit),
            2 => Made::Whole(Kind::Tree),
            3 => Made::Whole(Kind::Blob),
            4 => Made::Whole(Kind::Tag),
            6 => {
                (at, byte) = next()?;
                let mut back = usize::from(byte & 0x7f);
                while byte & 0x80 != 0 {
                    (at, byte) = next()?;
                    back = back.checked_add(1).and_then(|back| back.checked_mul(128)).ok_or("a place is wrong")?
                        | usize::from(byte & 0x7f);
                }
                let base = start.checked_sub(back).and_then(|base| starts.get(&base)).filter(|_| back > 0);
                Made::Of(*base.ok_or("an object is made of none that is before it")?)
            }
            7 => {
                let mut id = [0; 20];
                for part in &mut id {
                    (at, *part) = next()?;
                }
                Made::OfId(Id(id))
            }
            _ => return Err("an object is of no known kind".to_owned()),
        };
        let entry = Entry { made, at: at + 1, size };
        let (_, used) = self.inflate(entry.at, size, end)?;
        let end = entry.at + used;
        Ok((entry, end))
    }

    /// What is compressed at a place, exactly as long as it says, and how long the compressed data is.
    fn inflate(&mut self, at: usize, size: usize, end: usize) -> Read<(Vec<u8>, usize)> {
        self.work = self.work.saturating_add(size + 64);
        if self.work > WORK {
            return Err("its objects are made of one another in too many ways".to_owned());
        }
        let mut output = vec![0; size];
        let mut decompressor = Box::<DecompressorOxide>::default();
        let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let input = self.bytes.get(at..end).unwrap_or_default();
        let (status, used, written) = decompress(&mut decompressor, input, &mut output, 0, flags);
        if status != TINFLStatus::Done || written != size {
            return Err("an object cannot be inflated, or is not as long as it says".to_owned());
        }
        Ok((output, used))
    }

    /// Gives every object its name. What is made of an object that comes later waits for that.
    fn name_all(&mut self) -> Read<()> {
        let mut open: Vec<u32> = (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).collect();
        while !open.is_empty() {
            let before = open.len();
            let mut waiting = Vec::new();
            for number in open {
                match self.content(number)? {
                    Some((kind, content)) => {
                        let mut hash = Sha1::new();
                        hash.update(format!("{} {}\0", kind.word(), content.len()));
                        hash.update(&content);
                        self.by_id.insert(Id(hash.finalize().into()), number);
                    }
                    None => waiting.push(number),
                }
            }
            if waiting.len() == before {
                return Err("an object is made of one that is not there".to_owned());
            }
            open = waiting;
        }
        Ok(())
    }

    /// The content of an entry; nothing where it is made of an object whose name is not known yet.
    fn content(&mut self, number: u32) -> Read<Option<(Kind, Vec<u8>)>> {
        let mut chain = Vec::new();
        let mut number = number;
        let (kind, at, size) = loop {
            let Entry { made, at, size } = self.entries[number as usize];
            let base = match made {
                Made::Whole(kind) => break (kind, at, size),
                Made::Of(base) => Some(base),
                Made::OfId(id) => self.by_id.get(&id).copied(),
            };
            let Some(base) = base else { return Ok(None) };
            chain.push((at, size));
            if chain.len() > CHAIN {
                return Err(format!("an object is made of more than {CHAIN} others"));
            }
            number = base;
        };
        let end = self.bytes.len();
        let (mut content, _) = self.inflate(at, size, end)?;
        for (at, size) in chain.into_iter().rev() {
            let (delta, _) = self.inflate(at, size, end)?;
            content = applied(&content, &delta).ok_or("the difference between two objects is wrong")?;
            self.work = self.work.saturating_add(content.len());
        }
        Ok(Some((kind, content)))
    }
}

/// What a difference makes of an object: pieces of it, and new ones.
fn applied(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta.iter().copied();
    let mut length = || {
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = rest.next()?;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(length);
            }
            if shift > 28 {
                return None;
            }
        }
    };
    let (from, to) = (length()?, length()?);
    if from != base.len() || to > OBJECT_BYTES {
        return None;
    }
    let mut made = Vec::with_capacity(to);
    while let Some(order) = rest.next() {
        if order & 0x80 != 0 {
            let mut number = |bits: u8| {
                let mut number = 0_usize;
                for place in 0..4 {
                    if bits >> place & 1 != 0 {
                        number |= usize::from(rest.next()?) << (8 * place);
                    }
                }
                Some(number)
            };
            let offset = number(order & 15)?;
            let size = match number(order >> 4 & 7)? {
                0 => 0x10000,
                size => size,
            };
            made.extend_from_slice(base.get(offset..offset.checked_add(size)?)?);
        } else if order != 0 {
            for _ in 0..order {
                made.push(rest.next()?);
            }
        } else {
            return None;
        }
        if made.len() > to {
            return None;
        }
    }
    (made.len() == to).then_some(made)
}
