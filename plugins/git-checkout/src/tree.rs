//! Commits and trees: what of a pack becomes files.

use crate::pack::{Id, Kind, Pack};

/// Deepest folder.
const DEPTH: usize = 16;
/// Most entries of all trees together.
const ENTRIES: usize = 20_000;
/// Longest row of tags that name tags.
const TAGS: usize = 5;

/// Something in a tree that is no folder.
pub(crate) struct Found {
    /// Where it is, below the folder that was asked for.
    pub(crate) path: String,
    pub(crate) what: What,
}

pub(crate) enum What {
    File(Id),
    /// A program: git keeps no other permission of a file.
    Program(Id),
    /// A link to another path.
    Link,
    /// Another repository.
    Submodule,
}

/// The commit that a name stands for, and its tree.
pub(crate) fn commit(pack: &mut Pack, id: Id) -> Result<(Id, Id), String> {
    let mut id = id;
    for _ in 0..=TAGS {
        let (kind, content) = pack.object(&id)?;
        match kind {
            Kind::Commit => {
                let tree = field(&content, "tree").ok_or("a commit names no tree")?;
                return Ok((id, tree));
            }
            Kind::Tag => id = field(&content, "object").ok_or("a tag names nothing")?,
            Kind::Tree | Kind::Blob => return Err("the ref stands for no commit".to_owned()),
        }
    }
    Err("a tag names a tag that names a tag, and so on".to_owned())
}

/// The object that the first line names.
fn field(content: &[u8], name: &str) -> Option<Id> {
    let line = content.split(|byte| *byte == b'\n').next()?;
    Id::from_hex(std::str::from_utf8(line).ok()?.strip_prefix(name)?.strip_prefix(' ')?)
}

/// All that is below a folder of a tree, in the order of the tree.
pub(crate) fn files(pack: &mut Pack, tree: Id, subfolder: &str) -> Result<Vec<Found>, String> {
    let mut root = tree;
    for name in subfolder.split('/').filter(|name| !name.is_empty()) {
        let entries = entries(pack, &root)?;
        let found = entries.into_iter().find(|entry| entry.name == name && entry.mode == 0o40000);
        root = found.ok_or_else(|| format!("it has no folder {subfolder}"))?.id;
    }
    let mut found = Vec::new();
    let mut seen = 0;
    let mut open = vec![(String::new(), root, 0)];
    while let Some((folder, id, depth)) = open.pop() {
        for entry in entries(pack, &id)? {
            seen += 1;
            if seen > ENTRIES {
                return Err(format!("it has more than {ENTRIES} files and folders"));
            }
            let path = format!("{folder}{}", entry.name);
            let what = match entry.mode {
                0o40000 if depth >= DEPTH => return Err(format!("its folders are more than {DEPTH} deep")),
                0o40000 => {
                    open.push((format!("{path}/"), entry.id, depth + 1));
                    continue;
                }
                0o120000 => What::Link,
                0o160000 => What::Submodule,
                mode if mode & 0o170111 == 0o100000 => What::File(entry.id),
                mode if mode & 0o170000 == 0o100000 => What::Program(entry.id),
                mode => return Err(format!("{path} is of no known kind ({mode:o})")),
            };
            found.push(Found { path, what });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

struct Entry {
    mode: u32,
    name: String,
    id: Id,
}

fn entries(pack: &mut Pack, id: &Id) -> Result<Vec<Entry>, String> {
    let (kind, content) = pack.object(id)?;
    if kind != Kind::Tree {
        return Err("a folder is no tree".to_owned());
    }
    let mut entries = Vec::new();
    let mut rest = &content[..];
    while !rest.is_empty() {
        let (entry, behind) = entry(rest)?;
        entries.push(entry);
        rest = behind;
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> Result<(Entry, &[u8]), String> {
    let wrong = || "a tree is damaged".to_owned();
    let blank = bytes.iter().take(8).position(|byte| *byte == b' ').ok_or_else(wrong)?;
    let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(wrong)?;
    let mode = std::str::from_utf8(&bytes[..blank]).ok().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let name = bytes.get(blank + 1..end).ok_or_else(wrong)?;
    let id = bytes.get(end + 1..end + 21).and_then(|id| id.try_into().ok()).ok_or_else(wrong)?;
    let shown = String::from_utf8_lossy(name).into_owned();
    // The files of a run would not have them; a name of git's own would be taken for its folder by whoever gets the files.
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || shown.eq_ignore_ascii_case(".git") {
        return Err(format!("{shown:?} is no name of a file"));
    }
    let name = String::from_utf8(name.to_vec()).map_err(|_| format!("the name {shown:?} is no text in UTF-8"))?;
    Ok((Entry { mode: mode.ok_or_else(wrong)?, name, id: Id(id) }, &bytes[end + 21..]))
}
