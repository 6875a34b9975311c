//! How commands on the same machine ask a running server: a socket in its data folder, for its own user alone.
//!
//! A request is one line. The answer is a line, `ok` or what is wrong, and what was asked for until the connection ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use windflow_runtime::{Clock, SystemClock};
use windflow_store::SledStore;

use crate::backup;

const BACKUP: &str = "backup";
/// The longest that either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(60);
const MAX_LINE: u64 = 4096;

fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Answers for as long as the process lives. A folder in which there can be no socket is told, and no reason not to serve.
pub(crate) fn serve(data_dir: &Path, store: &Arc<SledStore>, key: [u8; 32]) {
    let path = socket(data_dir);
    // Whoever holds the store is the only server: what lies there was left behind.
    let _ = std::fs::remove_file(&path);
    let bind = || -> std::io::Result<UnixListener> {
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    let listener = match bind() {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "`windflow backup` cannot reach this server");
            return;
        }
    };
    // The store is closed with the server, not with whoever asks.
    let store = Arc::downgrade(store);
    let work = move || {
        for stream in listener.incoming().flatten() {
            let Some(store) = store.upgrade() else { return };
            if let Err(error) = answer(&stream, &store, &key) {
                tracing::warn!(error = %format!("{error:#}"), "a command on this machine was not answered");
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("control".to_owned()).spawn(work) {
        tracing::warn!(%error, "`windflow backup` cannot reach this server");
    }
}

fn answer(stream: &UnixStream, store: &SledStore, key: &[u8; 32]) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line)?;
    let mut out = stream;
    if line.trim_end() != BACKUP {
        return writeln!(out, "this server does not know what {:?} asks", line.trim_end()).map_err(Into::into);
    }
    writeln!(out, "ok")?;
    let begun = std::time::Instant::now();
    backup::write(store, key, SystemClock.now().0, out)?;
    tracing::info!(seconds = begun.elapsed().as_secs_f64(), "a backup was made");
    Ok(())
}

/// Asks the server of a data folder for a backup. None: there is no server.
///
/// # Errors
/// What the server says, or that it went away.
pub(crate) fn backup(data_dir: &Path, mut out: impl Write) -> anyhow::Result<Option<()>> {
    let Ok(mut stream) = UnixStream::connect(socket(data_dir)) else { return Ok(None) };
    // Copying a large store takes a while before the first byte.
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{BACKUP}")?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    (&mut answer).take(MAX_LINE).read_line(&mut line).context("the server does not answer")?;
    match line.trim_end() {
        "ok" => {}
        "" => bail!("the server went away"),
        why => bail!("{why}"),
    }
    std::io::copy(&mut answer, &mut out).context("the backup was cut off")?;
    Ok(Some(()))
}
