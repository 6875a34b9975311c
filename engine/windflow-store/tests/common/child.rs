//! Tests that need a process of their own start this test binary again, with one test and a variable that tells it apart.

use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(dead_code, reason = "not every test binary names it")]
pub(crate) const VARIABLE: &str = "WINDFLOW_STORE_TEST_DIR";

/// The command that runs the named test of this binary as a child, on a folder.
#[allow(dead_code, reason = "not every test binary has both kinds of child")]
pub(crate) fn command(test: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    arguments(&mut command, test, dir);
    command
}

/// The same, behind a program that runs what its arguments say.
#[allow(dead_code, reason = "not every test binary has both kinds of child")]
pub(crate) fn behind(program: &mut Command, test: &str, dir: &Path) {
    program.arg(std::env::current_exe().unwrap());
    arguments(program, test, dir);
}

fn arguments(command: &mut Command, test: &str, dir: &Path) {
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(VARIABLE, dir).env("RUST_BACKTRACE", "0");
}

/// The folder, where this process is such a child.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}
