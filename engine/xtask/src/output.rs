//! Packed files, and what is told about them.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use windflow_build::Guest;
use windflow_package::Package;

/// What the table tells of a packed guest.
pub(crate) struct Row {
    /// The plugin's name as its manifest has it.
    pub(crate) plugin: String,
    name: String,
    bytes: usize,
    max_kib: Option<u64>,
    capabilities: String,
    /// It asks for nothing and is not pure all the same.
    needlessly_impure: bool,
}

impl Row {
    pub(crate) fn new(guest: &Guest, package: &Package, bytes: usize) -> Self {
        let asked: Vec<String> = package.manifest.capabilities.list().iter().map(ToString::to_string).collect();
        let capabilities = match (package.pure, asked.is_empty()) {
            (true, true) => "none, pure".to_owned(),
            (false, true) => "none".to_owned(),
            (true, false) => format!("{} (unused: it is pure)", asked.join(", ")),
            (false, false) => asked.join(", "),
        };
        let plugin = package.manifest.plugin.name.clone();
        let needlessly_impure = asked.is_empty() && !package.pure;
        Self { plugin, name: guest.name.clone(), bytes, max_kib: guest.max_kib, capabilities, needlessly_impure }
    }

    /// What is wrong, if it imports what ends purity without asking for anything. Only foreign runtimes may: of our own
    /// plugins, each either asks for a capability or is computed again after a crash and never waits for the disk.
    pub(crate) fn impurity(&self) -> Option<String> {
        self.needlessly_impure.then(|| {
            format!(
                "{} asks for no capability but imports WASI, so it is not pure: leave out the dependency that reads a clock, \
                 a random source or files (`cargo tree` tells what brings it in)",
                self.name
            )
        })
    }

    /// What is wrong, if it is longer than it may be.
    pub(crate) fn excess(&self) -> Option<String> {
        let max = self.max_kib.filter(|max| self.bytes as u64 > max * 1024)?;
        Some(format!(
            "{} has {:.1} KiB, more than the {max} allowed: leave out a dependency (`cargo tree` tells what brings it in), or \
             write max-size-kib under [package.metadata.windflow] in its Cargo.toml",
            self.name,
            kib(self.bytes)
        ))
    }
}

fn kib(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

/// One line for each guest.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).chain(["plugin".len()]).max().unwrap_or_default();
    let mut table = format!("{:width$}  {:>9}  capabilities\n", "plugin", "KiB");
    for row in rows {
        let _ = writeln!(table, "{:width$}  {:>9.1}  {}", row.name, kib(row.bytes), row.capabilities);
    }
    table
}

/// Leaves the file alone where it holds these bytes already, or cargo would build again what embeds it.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let write = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        // Whole or not at all: a build that runs meanwhile must not embed half of it.
        let new = path.with_extension("wasm.new");
        fs::write(&new, bytes)?;
        fs::rename(&new, path)
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

/// Removes packed files of guests that are gone.
pub(crate) fn keep_only(folder: &Path, guests: &[Guest]) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let packed = path.extension().is_some_and(|extension| extension == "wasm");
        let wanted = guests.iter().any(|guest| path.file_stem().is_some_and(|stem| stem == guest.name.as_str()));
        if packed && !wanted {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bytes: usize, max_kib: Option<u64>) -> Row {
        let capabilities = "http".into();
        Row { plugin: "a".into(), name: "a".into(), bytes, max_kib, capabilities, needlessly_impure: false }
    }

    #[test]
    fn only_what_exceeds_its_budget_is_refused() {
        assert!(row(1024, Some(1)).excess().is_none());
        assert!(row(1025, None).excess().is_none());
        assert!(row(1025, Some(1)).excess().unwrap().contains("max-size-kib"));
        assert_eq!(table(&[row(2048, None)]), "plugin        KiB  capabilities\na             2.0  http\n");
    }

    #[test]
    fn what_asks_for_nothing_has_to_be_pure() {
        assert!(row(1, None).impurity().is_none());
        let impure = Row { needlessly_impure: true, ..row(1, None) };
        assert!(impure.impurity().unwrap().contains("not pure"));
    }

    #[test]
    fn files_are_written_once_and_removed_with_their_guest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins/a.wasm");
        write_if_changed(&path, b"one").unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        write_if_changed(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        keep_only(path.parent().unwrap(), &[]).unwrap();
        assert!(!path.exists());
    }
}
