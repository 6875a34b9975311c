//! `windflow backup` and `windflow restore`

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use windflow_runtime::{Clock, SystemClock};

use crate::backup;
use crate::cli::{BackupArgs, Global, RestoreArgs};
use crate::commands::serve::secrets_key;
use crate::control;
use crate::engine::{data_dir, open_store};
use crate::exit::invalid;
use crate::render;

pub(crate) fn run(global: &Global, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    if args.file.exists() {
        return Err(invalid(format!("{} is there already; a backup overwrites nothing", args.file.display())));
    }
    let data_dir = data_dir(global)?;
    if !data_dir.join("store").exists() {
        return Err(invalid(format!("{} holds no store; name its folder with --data-dir", data_dir.display())));
    }
    let bytes = keep(&args.file, |out| {
        if control::backup(&data_dir, &mut *out)?.is_none() {
            let store = open_store(global)?;
            let keys = secrets_key::read_or_make(&store, &data_dir, args.secrets_key_file.as_deref())?;
            backup::write(&store, keys.current(), SystemClock.now().0, out)?;
        }
        Ok(())
    })?;
    render::line(&format!("{}: {}", args.file.display(), render::bytes(bytes)));
    render::line("The key that encrypts secrets is not in it: keep that somewhere else.");
    Ok(ExitCode::SUCCESS)
}

/// Writes a backup aside and gives it its name once it is whole and durable. Returns its size.
pub(crate) fn keep(file: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".partial");
    let aside = PathBuf::from(aside);
    let cannot = || format!("{} cannot be written", aside.display());
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = BufWriter::new(options.open(&aside).with_context(cannot)?);
    let made = write(&mut written).and_then(|()| {
        written
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .with_context(cannot)?;
        backup::check_whole(&aside)?;
        let bytes = fs::metadata(&aside)?.len();
        fs::rename(&aside, file).with_context(cannot)?;
        Ok(bytes)
    });
    if made.is_err() {
        // Half of a backup must not be taken for one.
        let _ = fs::remove_file(&aside);
    }
    made
}

pub(crate) fn restore(global: &Global, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let data_dir = data_dir(global)?;
    let (about, kept) = backup::restore(&args.file, &data_dir, args.replace)?;
    let at = jiff::Timestamp::from_millisecond(i64::try_from(about.at)?)?;
    render::line(&format!(
        "{} holds {} runs now, as they were at {} (windflow {}).",
        data_dir.display(),
        about.runs,
        at.strftime("%F %T UTC"),
        about.release,
    ));
    if let Some(kept) = kept {
        render::line(&format!("What was there before is in {}.", kept.display()));
    }
    let keys = secrets_key::read(&data_dir, args.secrets_key_file.as_deref())?;
    let is_meant = |key: &[u8; 32]| backup::fingerprint(key) == about.secrets_key;
    if !keys.is_some_and(|keys| std::iter::once(keys.current()).chain(keys.former()).any(is_meant)) {
        render::line(&format!(
            "Its secrets are encrypted with the key {}, which is not the one of this folder: put that key into {} before you serve.",
            about.secrets_key,
            data_dir.join("secrets.key").display(),
        ));
    }
    Ok(ExitCode::SUCCESS)
}
