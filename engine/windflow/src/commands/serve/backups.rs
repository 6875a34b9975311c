//! Backups that a server makes by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context;
use windflow_runtime::{Clock, SystemClock};
use windflow_store::SledStore;

use crate::backup;
use crate::commands::backup::keep;

const PREFIX: &str = "windflow-";
const SUFFIX: &str = ".backup.tar.gz";

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// When backups are made, and how many are kept.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) folder: PathBuf,
    pub(crate) every: Duration,
    /// The newest so many; 0 keeps all.
    pub(crate) keep: usize,
}

/// Makes backups for as long as the store is open.
///
/// # Errors
/// The folder cannot be made: whoever wants backups must learn that before they need one.
pub(crate) fn start(schedule: Schedule, store: &Arc<SledStore>, key: [u8; 32]) -> anyhow::Result<()> {
    fs::create_dir_all(&schedule.folder)
        .with_context(|| format!("the folder for backups, {}", schedule.folder.display()))?;
    let store = Arc::downgrade(store);
    std::thread::Builder::new().name("backups".to_owned()).spawn(move || work(&schedule, &store, &key))?;
    Ok(())
}

fn work(schedule: &Schedule, store: &Weak<SledStore>, key: &[u8; 32]) {
    loop {
        let Some(store) = store.upgrade() else { return };
        let now = SystemClock.now().0;
        let made = due(schedule, now).and_then(|due| if due { make(schedule, &store, key, now) } else { Ok(()) });
        if let Err(error) = made {
            tracing::error!(folder = %schedule.folder.display(), error = %format!("{error:#}"), "no backup was made");
        }
        drop(store);
        std::thread::sleep(LOOK_EVERY.min(schedule.every));
    }
}

/// The backups in a folder with the instants in their names, the oldest first.
fn present(folder: &Path) -> anyhow::Result<Vec<(u64, PathBuf)>> {
    let mut present = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let at = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(at) = at.and_then(|at| at.parse::<jiff::civil::DateTime>().ok()) {
            let at = at.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_millisecond();
            present.push((u64::try_from(at).unwrap_or(0), path));
        }
    }
    present.sort();
    Ok(present)
}

fn due(schedule: &Schedule, now: u64) -> anyhow::Result<bool> {
    let newest = present(&schedule.folder)?.last().map(|(at, _)| *at);
    let every = u64::try_from(schedule.every.as_millis()).unwrap_or(u64::MAX);
    // A clock that was set back must not put it off for years.
    Ok(newest.is_none_or(|at| at > now || now - at >= every))
}

fn make(schedule: &Schedule, store: &SledStore, key: &[u8; 32], now: u64) -> anyhow::Result<()> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(now)?)?.strftime("%Y%m%dT%H%M%S");
    let file = schedule.folder.join(format!("{PREFIX}{at}{SUFFIX}"));
    let bytes = keep(&file, |out| backup::write(store, key, now, out))?;
    tracing::info!(file = %file.display(), bytes, "a backup was made");
    let all = present(&schedule.folder)?;
    let beyond = if schedule.keep == 0 { 0 } else { all.len().saturating_sub(schedule.keep) };
    for (_, old) in all.into_iter().take(beyond) {
        fs::remove_file(&old).with_context(|| format!("{}, which is older than backups are kept", old.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_next_is_due_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path().join("store"), windflow_store::Options::default()).unwrap();
        let folder = dir.path().join("backups");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let schedule = Schedule { folder, every: Duration::from_secs(3600), keep: 2 };
        let hour = 3_600_000;
        let begin = 1_700_000_000_000;
        assert!(due(&schedule, begin).unwrap());
        for number in 0..4 {
            make(&schedule, &store, &[1; 32], begin + number * hour).unwrap();
        }
        let last = begin + 3 * hour;
        let kept: Vec<u64> = present(&schedule.folder).unwrap().into_iter().map(|(at, _)| at).collect();
        assert_eq!(kept, [last - hour, last]);
        assert!(schedule.folder.join("notes.txt").exists());
        assert!(!due(&schedule, last + hour - 1).unwrap() && due(&schedule, last + hour).unwrap());
        assert!(due(&schedule, begin).unwrap(), "a clock that was set back");
    }
}
