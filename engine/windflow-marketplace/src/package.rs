//! Files as one: a tar archive, compressed. The same files give the same bytes, whoever packs them.

use std::io::Read;
use std::path::Component;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use crate::files::{Files, MAX_FILES, MAX_UNPACKED};

/// How large a package may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Its bytes.
    pub packed: usize,
    /// Its files.
    pub files: usize,
    /// The bytes of its files together.
    pub unpacked: usize,
}

/// Longest package of a template.
pub const MAX_BYTES: usize = 2 << 20;

/// Bounds of a package that is a template.
pub const TEMPLATE: Bounds = Bounds { packed: MAX_BYTES, files: MAX_FILES, unpacked: MAX_UNPACKED };

/// Why something is no package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPackage {
    /// It is longer than a package may be.
    #[error("a package has {} KiB at most, and its files {} KiB together", .0.packed >> 10, .0.unpacked >> 10)]
    TooLarge(Bounds),
    /// It has more files than a package may have.
    #[error("a package has {} files at most", .0.files)]
    TooManyFiles(Bounds),
    /// It holds something that is no file beside the others.
    #[error("{0:?} is refused: a package holds ordinary files under plain names, no links, no `..`")]
    Unsafe(String),
    /// A file is in it twice.
    #[error("{0:?} is in it twice")]
    Twice(String),
    /// It cannot be read.
    #[error("it is no compressed tar archive, or it is damaged: {0}")]
    Malformed(String),
}

/// Packs files.
///
/// # Errors
/// Where they are more than a package may hold.
pub fn pack(files: &Files, bounds: Bounds) -> Result<Vec<u8>, BadPackage> {
    let malformed = |error: std::io::Error| BadPackage::Malformed(error.to_string());
    if files.len() > bounds.files {
        return Err(BadPackage::TooManyFiles(bounds));
    }
    if files.values().map(Vec::len).sum::<usize>() > bounds.unpacked {
        return Err(BadPackage::TooLarge(bounds));
    }
    // No time of its own: the same files are the same package.
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, name, &**bytes).map_err(malformed)?;
    }
    let packed = archive.into_inner().and_then(GzEncoder::finish).map_err(malformed)?;
    if packed.len() > bounds.packed { Err(BadPackage::TooLarge(bounds)) } else { Ok(packed) }
}

/// Unpacks a package into memory. However it was made, it costs no more than a package may.
///
/// # Errors
/// Where it is none, or holds what it must not.
pub fn unpack(package: &[u8], bounds: Bounds) -> Result<Files, BadPackage> {
    if package.len() > bounds.packed {
        return Err(BadPackage::TooLarge(bounds));
    }
    // Headers and padding are bounded with the files: a tar archive of nothing but headers is large, too.
    let room = (bounds.unpacked + bounds.files * 2048) as u64;
    let mut archive = Archive::new(GzDecoder::new(package).take(room));
    let malformed = |error: std::io::Error| BadPackage::Malformed(error.to_string());
    let (mut files, mut total) = (Files::new(), 0);
    for entry in archive.entries().map_err(malformed)? {
        let mut entry = entry.map_err(malformed)?;
        let shown = String::from_utf8_lossy(&entry.path_bytes()).chars().take(100).collect::<String>();
        let kind = entry.header().entry_type();
        if kind == EntryType::Directory {
            continue;
        }
        if files.len() == bounds.files {
            return Err(BadPackage::TooManyFiles(bounds));
        }
        let name = if kind == EntryType::Regular { plain(&entry.path_bytes()) } else { None };
        let Some(name) = name else { return Err(BadPackage::Unsafe(shown)) };
        let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
        if size > bounds.unpacked - total {
            return Err(BadPackage::TooLarge(bounds));
        }
        let mut bytes = Vec::with_capacity(size);
        entry.read_to_end(&mut bytes).map_err(malformed)?;
        total += bytes.len();
        if files.insert(name, bytes).is_some() {
            return Err(BadPackage::Twice(shown));
        }
    }
    // To its end, where its checksum is: half of a package is none, even where no file is missing.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(malformed)?;
    if rest.limit() == 0 { Err(BadPackage::TooLarge(bounds)) } else { Ok(files) }
}

/// A name that leads nowhere else than beside the others.
fn plain(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok().filter(|path| path.len() <= 200 && !path.contains(['\\', '\0', ':']))?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    (!path.is_empty() && std::path::Path::new(path).components().all(normal)).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        [("README.md", "# One"), ("template.yaml", "name: one")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into()
    }

    /// A package of one entry, however strange.
    fn strange(kind: EntryType, name: &[u8], size: u64, data: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        archive.append(&header, data).unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn what_was_packed_is_unpacked_and_always_the_same() {
        let packed = pack(&files(), TEMPLATE).unwrap();
        assert_eq!(packed, pack(&files(), TEMPLATE).unwrap());
        assert_eq!(unpack(&packed, TEMPLATE).unwrap(), files());
    }

    #[test]
    fn ways_out_of_the_folder_are_refused() {
        for name in ["../x", "/etc/passwd", "a/../../x", "a\\..\\x", "C:x", ".."] {
            let refused = unpack(&strange(EntryType::Regular, name.as_bytes(), 1, b"x"), TEMPLATE);
            assert!(matches!(refused, Err(BadPackage::Unsafe(_))), "{name}: {refused:?}");
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let refused = unpack(&strange(kind, b"icon.svg", 0, b""), TEMPLATE);
            assert!(matches!(refused, Err(BadPackage::Unsafe(_))), "{kind:?}: {refused:?}");
        }
    }

    #[test]
    fn bombs_and_debris_are_refused() {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut std::io::repeat(0).take(64 << 20), &mut bomb).unwrap();
        assert_eq!(unpack(&bomb.finish().unwrap(), TEMPLATE), Err(BadPackage::TooLarge(TEMPLATE)));
        let large = vec![b'x'; MAX_UNPACKED + 1];
        assert_eq!(
            unpack(&strange(EntryType::Regular, b"README.md", large.len() as u64, &large), TEMPLATE),
            Err(BadPackage::TooLarge(TEMPLATE))
        );
        assert_eq!(
            unpack(&strange(EntryType::Regular, b"README.md", u64::MAX >> 8, b"x"), TEMPLATE),
            Err(BadPackage::TooLarge(TEMPLATE))
        );
        let cut = pack(&files(), TEMPLATE).unwrap();
        for end in [0, 1, cut.len() / 2, cut.len() - 1] {
            assert!(unpack(&cut[..end], TEMPLATE).is_err(), "cut at {end}");
        }
        assert_eq!(unpack(&vec![0; MAX_BYTES + 1], TEMPLATE), Err(BadPackage::TooLarge(TEMPLATE)));
        let many: Files = (0..=MAX_FILES).map(|n| (format!("{n}.md"), Vec::new())).collect();
        assert_eq!(pack(&many, TEMPLATE), Err(BadPackage::TooManyFiles(TEMPLATE)));
    }

    #[test]
    fn a_file_that_is_there_twice_is_refused() {
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for _ in 0..2 {
            let mut header = Header::new_ustar();
            header.set_size(1);
            archive.append_data(&mut header, "icon.svg", &b"x"[..]).unwrap();
        }
        let packed = archive.into_inner().unwrap().finish().unwrap();
        assert_eq!(unpack(&packed, TEMPLATE), Err(BadPackage::Twice("icon.svg".into())));
    }
}
