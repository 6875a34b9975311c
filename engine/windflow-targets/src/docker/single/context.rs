//! A folder of the run on its way to the engine: an archive that is never whole anywhere in this process.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc;
use windflow_stacks::containers::{FolderContext, FolderFile};

/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// Pieces that wait for the engine.
const WAITING: usize = 4;

/// Why a folder could not be sent, once that is known.
pub(super) type Broken = Arc<OnceLock<String>>;

/// The pieces of its archive, read while they are sent. An archive that breaks off is none to the engine.
pub(super) fn send(context: FolderContext) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, Broken) {
    let (sender, pieces) = mpsc::channel(WAITING);
    let broken = Broken::default();
    let tells = Arc::clone(&broken);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = archive(&context, Pieces { sender: sender.clone(), piece: Vec::new() })
            && !sender.is_closed()
        {
            let _ = tells.set(error.to_string());
            let _ = sender.blocking_send(Err(error));
        }
    });
    let next = |mut pieces: mpsc::Receiver<_>| async { Some((pieces.recv().await?, pieces)) };
    (futures::stream::unfold(pieces, next), broken)
}

fn archive(context: &FolderContext, pieces: Pieces) -> io::Result<()> {
    let mut archive = tar::Builder::new(pieces);
    append_folders(&mut archive, context.files.iter().map(|file| file.path.as_str()))?;
    for file in &context.files {
        if file.path == context.dockerfile {
            // What was judged, whatever became of the file since.
            let text = context.text.as_bytes();
            archive.append_data(&mut header(text.len() as u64, file.mode), &file.path, text)?;
        } else {
            let content = Content { context, file, at: 0 };
            archive.append_data(&mut header(file.bytes, file.mode), &file.path, content)?;
        }
    }
    archive.into_inner()?.flush()
}

/// The folders of files: those that are not in an archive the engine would make writable for everybody.
pub(super) fn append_folders<'a>(
    archive: &mut tar::Builder<impl Write>,
    paths: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    let folders = paths.flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..=at]));
    for folder in folders.collect::<BTreeSet<_>>() {
        let mut header = header(0, 0o755);
        header.set_entry_type(tar::EntryType::Directory);
        archive.append_data(&mut header, folder, io::empty())?;
    }
    Ok(())
}

pub(super) fn header(bytes: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    header
}

/// A file of the folder, read in pieces.
struct Content<'a> {
    context: &'a FolderContext,
    file: &'a FolderFile,
    at: u64,
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.bytes - self.at).unwrap_or(usize::MAX);
        let wanted = left.min(into.len()).min(PIECE);
        if wanted == 0 {
            return Ok(0);
        }
        let failed = |why: String| io::Error::other(format!("{}: {why}", self.file.path));
        let length = u32::try_from(wanted).unwrap_or(u32::MAX);
        let read = self.context.folder.read(&self.file.path, self.at, length);
        let read = read.map_err(|error| failed(error.to_string()))?;
        // Its length stands in front of it already.
        if read.is_empty() || read.len() > wanted {
            return Err(failed("it was changed while it was read".to_owned()));
        }
        into[..read.len()].copy_from_slice(&read);
        self.at += read.len() as u64;
        Ok(read.len())
    }
}

/// Hands on what is written, and waits for whoever takes it.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        if piece.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures::StreamExt;
    use serde_json::json;
    use windflow_core::id::{OrganisationId, RunId, RunKey};
    use windflow_core::ports::files::{FileEntry, FilePath, FileStore, FilesError, RunFolder};
    use windflow_stacks::containers::Build;

    use super::*;

    /// Files that are what their names say: `large` is of that many bytes. One of them can be gone later.
    struct Store(AtomicBool);

    const FILES: [(&str, usize); 4] = [("Dockerfile", 6), ("a/b/c.txt", 3), ("empty", 0), ("large", 3 * PIECE + 17)];

    impl FileStore for Store {
        fn read(&self, _: &RunKey, path: &FilePath, offset: u64, length: u32) -> Result<Vec<u8>, FilesError> {
            let (name, bytes) = FILES.iter().find(|(name, _)| path.as_str() == format!("shop/{name}")).unwrap();
            if *name == "large" && offset > 0 && self.0.load(Ordering::SeqCst) {
                return Err(FilesError::NotFound);
            }
            let left = bytes - usize::try_from(offset).unwrap();
            Ok(vec![b'x'; left.min(length as usize)])
        }

        fn list(&self, _: &RunKey, _: Option<&FilePath>) -> Result<Vec<FileEntry>, FilesError> {
            let entry = |(name, bytes): &(&str, usize)| FileEntry {
                path: format!("shop/{name}").parse().unwrap(),
                bytes: *bytes as u64,
            };
            Ok(FILES.iter().map(entry).collect())
        }

        fn write(&self, _: &RunKey, _: &FilePath, _: u64, _: &[u8]) -> Result<(), FilesError> {
            unreachable!("nothing is written")
        }

        fn remove(&self, _: &RunKey, _: Option<&FilePath>) -> Result<u32, FilesError> {
            unreachable!("nothing is taken away")
        }

        fn settle(&self, _: &RunKey) -> Result<(), FilesError> {
            unreachable!("nothing is written")
        }

        fn forget(&self, _: &RunKey) -> Result<(), FilesError> {
            unreachable!("nothing is taken away")
        }

        fn runs(&self) -> Result<Vec<RunKey>, FilesError> {
            unreachable!("nobody asks")
        }
    }

    fn context(goes_away: bool) -> FolderContext {
        let run: RunId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
        let run = RunKey { organisation: OrganisationId::local(), run };
        let store = Arc::new(Store(AtomicBool::new(goes_away)));
        let wanted: Build =
            serde_json::from_value(json!({ "folder": "shop", "tags": ["a"], "executable": ["a/b/c.txt"] })).unwrap();
        FolderContext::of(&wanted, RunFolder::new(store, run, "shop".parse().unwrap())).unwrap()
    }

    #[tokio::test]
    async fn the_archive_holds_the_files_and_their_modes() {
        let (pieces, broken) = send(context(false));
        let pieces: Vec<Bytes> = pieces.map(Result::unwrap).collect().await;
        assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.len() <= PIECE));
        let whole = pieces.concat();
        let mut archive = tar::Archive::new(whole.as_slice());
        let read = |entry: io::Result<tar::Entry<'_, _>>| {
            let mut entry: tar::Entry<'_, &[u8]> = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content.len(), entry.header().mode().unwrap())
        };
        let found: Vec<_> = archive.entries().unwrap().map(read).collect();
        let mode = |name: &str| if name == "a/b/c.txt" { 0o755 } else { 0o644 };
        let files = FILES.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes, mode(name)));
        let folders = ["a/", "a/b/"].map(|name| (name.to_owned(), 0, 0o755));
        assert_eq!(found, folders.into_iter().chain(files).collect::<Vec<_>>());
        assert_eq!(broken.get(), None);
    }

    #[tokio::test]
    async fn what_cannot_be_read_breaks_the_archive_off_and_is_told() {
        let (pieces, broken) = send(context(true));
        let pieces: Vec<io::Result<Bytes>> = pieces.collect().await;
        assert!(pieces.last().unwrap().is_err());
        assert_eq!(broken.get().map(String::as_str), Some("large: there is no such file"));
    }

    #[tokio::test]
    async fn whoever_takes_no_more_is_no_failure() {
        let (pieces, broken) = send(context(false));
        let mut pieces = Box::pin(pieces);
        assert!(pieces.next().await.unwrap().is_ok());
        drop(pieces);
        assert_eq!(broken.get(), None);
    }
}
