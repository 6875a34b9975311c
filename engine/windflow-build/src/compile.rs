//! Compiling guests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::{TARGET, cargo, ensure_target, run};
use crate::{BuildError, Guest, Workspace};

const DO_NOT_BUILD: &str = "the plugin does not build, see above";

/// What the linker is told about a guest's memory. A call is cheap as long as it does not change the process's memory map,
/// so memory is small, and what most calls need is there from the start:
///
/// - 64 KiB of stack instead of 1 MiB. It lies below the data, so that overflowing it traps.
/// - 64 KiB of heap that needs no growing; the SDK's allocator takes it first. Asked for as heap and not as an initial size
///   of the whole memory, since that would have to fit the plugin with the most data.
const MEMORY: [&str; 2] = ["-Clink-arg=-zstack-size=65536", "-Clink-arg=--initial-heap=65536"];

/// Guests have no chance but what they bring themselves: those that ask for some without bringing it do not build.
const CHANCE: &str = "--cfg=getrandom_backend=\"custom\"";

/// The profile `plugin` of our workspace, for guests outside of it.
const PROFILE: [&str; 6] = [
    "profile.plugin.inherits=\"release\"",
    "profile.plugin.opt-level=\"s\"",
    "profile.plugin.lto=\"fat\"",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic=\"abort\"",
    "profile.plugin.strip=true",
];

/// Builds members of the workspace, all in one go, so that what they share is built once and side by side.
///
/// # Errors
/// Where the target is missing or one of them does not build.
pub fn members(workspace: &Workspace, guests: &[Guest]) -> Result<(), BuildError> {
    let mut command = of_workspace(workspace)?;
    for guest in guests {
        command.arg("--package").arg(&guest.package);
    }
    run(&mut command, DO_NOT_BUILD)
}

/// Builds a guest of another workspace, into a target directory of one's choice. A standard library that has to be built
/// first is kept in `sysroots`.
///
/// # Errors
/// Where the target is missing or the guest does not build.
pub fn outsider(guest: &Guest, target: &Path, sysroots: &Path) -> Result<(), BuildError> {
    // Its own files cargo names from its folder on. Nothing here may differ from plugin to plugin, or a shared target directory
    // would hold what they have in common once for each.
    let mut command = cargo_build(sysroots, &guest.paths)?;
    command.arg("--manifest-path").arg(guest.folder.join("Cargo.toml")).arg("--target-dir").arg(target);
    command.args(guest.offline());
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    run(&mut command, DO_NOT_BUILD)
}

/// Builds windflow-core for the browser and says where it lies. With the very flags of guests: cargo keeps what both have in
/// common once, and compiles it anew for whoever asks with others. Its own build script gives it the stack that it needs.
///
/// # Errors
/// Where the target is missing or it does not build.
pub fn browser(workspace: &Workspace) -> Result<PathBuf, BuildError> {
    let mut command = of_workspace(workspace)?;
    command.args(["--package", "windflow-browser"]);
    run(&mut command, "windflow-core does not build for the browser, see above")?;
    Ok(workspace.target.join(TARGET).join("plugin").join("windflow_browser.wasm"))
}

fn of_workspace(workspace: &Workspace) -> Result<Command, BuildError> {
    cargo_build(&workspace.sysroots(), &[(workspace.root.clone(), "/windflow".to_owned())])
}

fn cargo_build(sysroots: &Path, paths: &[(PathBuf, String)]) -> Result<Command, BuildError> {
    let mut flags = ensure_target(sysroots)?;
    flags.extend(MEMORY.map(OsString::from));
    flags.push(CHANCE.into());
    flags.extend(remaps(paths));
    let mut command = cargo();
    command.args(["build", "--lib", "--profile", "plugin", "--target", TARGET]);
    // The encoded variable allows spaces in paths. It also puts the user's own RUSTFLAGS aside: they are meant for the
    // engine, and would make guests differ from machine to machine.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f".as_ref()));
    Ok(command)
}

/// Messages of panics name source files: the same whoever builds, since grants bind to the digest of the package.
fn remaps(paths: &[(PathBuf, String)]) -> Vec<OsString> {
    let cargo_home =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags: Vec<OsString> = cargo_home.map(|home| remap(&home, "/cargo")).into_iter().collect();
    flags.extend(paths.iter().map(|(from, to)| remap(from, to)));
    flags
}

fn remap(from: &Path, to: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(from);
    flag.push("=");
    flag.push(to);
    flag
}
