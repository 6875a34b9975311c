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
use windflow_server::{NewKey, add_key};
use windflow_store::SledStore;

use crate::backup;

const BACKUP: &str = "backup";
/// Before what a key is to be, as JSON.
const TOKEN: &str = "token ";
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
            tracing::warn!(path = %path.display(), %error, "`windflow backup` and `windflow token` cannot reach this server");
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
        tracing::warn!(%error, "`windflow backup` and `windflow token` cannot reach this server");
    }
}

fn answer(stream: &UnixStream, store: &SledStore, key: &[u8; 32]) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line)?;
    let mut out = stream;
    if let Some(new) = line.strip_prefix(TOKEN) {
        // What is wrong with it is for whoever asks, not for the log.
        return match token_of(store, new) {
            Ok(token) => writeln!(out, "ok\n{token}"),
            Err(why) => writeln!(out, "{}", format!("{why:#}").replace('\n', " ")),
        }
        .map_err(Into::into);
    }
    if line.trim_end() != BACKUP {
        return writeln!(out, "this server does not know what {:?} asks", line.trim_end()).map_err(Into::into);
    }
    writeln!(out, "ok")?;
    let begun = std::time::Instant::now();
    backup::write(store, key, SystemClock.now().0, out)?;
    tracing::info!(seconds = begun.elapsed().as_secs_f64(), "a backup was made");
    Ok(())
}

fn token_of(store: &SledStore, new: &str) -> anyhow::Result<String> {
    let new: NewKey = serde_json::from_str(new)?;
    let waiting = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(waiting.block_on(add_key(store, &new, SystemClock.now()))?)
}

/// Asks the server of a data folder for a key. None: there is no server.
///
/// # Errors
/// What the server says, or that it went away.
pub(crate) fn token(data_dir: &Path, new: &NewKey) -> anyhow::Result<Option<String>> {
    let asked = format!("{TOKEN}{}", serde_json::to_string(new)?);
    let Some(mut answer) = ask(data_dir, &asked)? else { return Ok(None) };
    let mut token = String::new();
    (&mut answer).take(MAX_LINE).read_line(&mut token).context("the server does not answer")?;
    Ok(Some(token.trim_end().to_owned()))
}

/// Asks the server of a data folder for a backup. None: there is no server.
///
/// # Errors
/// What the server says, or that it went away.
pub(crate) fn backup(data_dir: &Path, mut out: impl Write) -> anyhow::Result<Option<()>> {
    let Some(mut answer) = ask(data_dir, BACKUP)? else { return Ok(None) };
    std::io::copy(&mut answer, &mut out).context("the backup was cut off")?;
    Ok(Some(()))
}

/// Asks the server of a data folder for something, which is what can be read then. None: there is no server.
fn ask(data_dir: &Path, what: &str) -> anyhow::Result<Option<BufReader<UnixStream>>> {
    let Ok(mut stream) = UnixStream::connect(socket(data_dir)) else { return Ok(None) };
    // Copying a large store takes a while before the first byte.
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{what}")?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    (&mut answer).take(MAX_LINE).read_line(&mut line).context("the server does not answer")?;
    match line.trim_end() {
        "ok" => Ok(Some(answer)),
        "" => bail!("the server went away"),
        why => bail!("{why}"),
    }
}
