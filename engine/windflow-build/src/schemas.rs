//! Keeping the schemas of a plugin in step with its types.

use std::path::Path;
use std::time::SystemTime;

use crate::toolchain::{cargo, run};
use crate::{BuildError, Guest};

/// Folders are looked into so deep.
const DEPTH: u8 = 8;

impl Guest {
    /// Writes `schema/` anew from the types where the code is newer: by the test that the SDK's `plugin!` makes, natively.
    ///
    /// # Errors
    /// Where the crate does not build natively.
    pub fn update_schemas(&self, target: &Path) -> Result<(), BuildError> {
        let (code, schemas) = (newest(&self.folder.join("src"), DEPTH), oldest(&self.folder.join("schema")));
        if schemas.is_some_and(|schemas| code.is_none_or(|code| code <= schemas)) {
            return Ok(());
        }
        let mut command = cargo();
        command.args(["test", "--quiet", "--lib", "--manifest-path"]).arg(self.folder.join("Cargo.toml"));
        command.arg("--target-dir").arg(target).args(self.offline());
        command.args(["--", "schemas_are_those_of_the_types"]).env("UPDATE_SCHEMAS", "1");
        command.stdout(std::process::Stdio::null());
        run(&mut command, "the schemas cannot be made of the types, see above")
    }
}

/// When the newest file below a folder was changed.
fn newest(folder: &Path, depth: u8) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                return depth.checked_sub(1).and_then(|depth| newest(&entry.path(), depth));
            }
            entry.metadata().ok()?.modified().ok()
        })
        .max()
}

/// When the oldest file of a folder was changed; none where there is no file.
fn oldest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.filter_map(|entry| entry.metadata().ok()?.modified().ok()).min()
}
