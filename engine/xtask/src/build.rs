//! Compiling guests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::guest::Guest;
use crate::workspace::{Workspace, cargo};

const TARGET: &str = "wasm32-unknown-unknown";

/// What the linker is told about a guest's memory. A call is cheap as long as it does not change the process's memory map,
/// so memory is small, and what most calls need is there from the start:
///
/// - 64 KiB of stack instead of 1 MiB. It lies below the data, so that overflowing it traps.
/// - 64 KiB of heap that needs no growing; the SDK's allocator takes it first. Asked for as heap and not as an initial size
///   of the whole memory, since that would have to fit the plugin with the most data.
const MEMORY: [&str; 2] = ["-Clink-arg=-zstack-size=65536", "-Clink-arg=--initial-heap=65536"];

/// Guests have no chance but what they bring themselves: without a backend of their own, those that ask for some do not build.
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
pub(crate) fn members(workspace: &Workspace, guests: &[Guest]) -> Result<(), String> {
    let mut command = cargo_build(workspace)?;
    for guest in guests {
        command.arg("--package").arg(&guest.package);
    }
    run(&mut command)
}

/// Builds a guest that is no member of the workspace.
pub(crate) fn outsider(workspace: &Workspace, target: &Path, guest: &Guest) -> Result<(), String> {
    let mut command = cargo_build(workspace)?;
    command.arg("--manifest-path").arg(guest.folder.join("Cargo.toml")).arg("--target-dir").arg(target);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    run(&mut command)
}

/// Builds windflow-core for the browser and says where it lies. The browser has memory enough: it keeps the usual stack.
pub(crate) fn browser(workspace: &Workspace) -> Result<PathBuf, String> {
    let mut flags = sysroot(&ensure_target(workspace)?);
    flags.extend(remaps(workspace));
    // The page gives nothing to the module, so it takes no chance from there either.
    flags.push(CHANCE.into());
    let mut command = cargo();
    command.args(["build", "--lib", "--profile", "plugin", "--target", TARGET, "--package", "windflow-browser"]);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f".as_ref()));
    run(&mut command)?;
    Ok(workspace.target.join(TARGET).join("plugin").join("windflow_browser.wasm"))
}

/// The file that building makes.
pub(crate) fn artifact(target: &Path, guest: &Guest) -> PathBuf {
    target.join(TARGET).join("plugin").join(format!("{}.wasm", guest.library))
}

fn cargo_build(workspace: &Workspace) -> Result<Command, String> {
    let mut command = cargo();
    command.args(["build", "--lib", "--profile", "plugin", "--target", TARGET]);
    // The encoded variable allows spaces in paths. It also puts the user's own RUSTFLAGS aside: they are meant for the
    // engine, and would make guests differ from machine to machine.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace)?.join("\x1f".as_ref()));
    Ok(command)
}

fn flags(workspace: &Workspace) -> Result<Vec<OsString>, String> {
    let mut flags = sysroot(&ensure_target(workspace)?);
    flags.extend(MEMORY.map(OsString::from));
    flags.push(CHANCE.into());
    flags.extend(remaps(workspace));
    Ok(flags)
}

/// Messages of panics name source files: the same whoever builds, since grants bind to the digest of the package.
fn remaps(workspace: &Workspace) -> Vec<OsString> {
    let cargo_home =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags: Vec<OsString> = cargo_home.map(|home| remap(&home, "/cargo")).into_iter().collect();
    flags.push(remap(&workspace.root, "/windflow"));
    flags
}

fn remap(from: &Path, to: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(from);
    flag.push("=");
    flag.push(to);
    flag
}

/// What the script printed, as flags. A path may hold spaces, so it is not split there.
fn sysroot(printed: &str) -> Vec<OsString> {
    match printed.lines().last().unwrap_or_default().trim_end().split_once(' ') {
        Some((option, path)) => vec![option.into(), path.into()],
        None => Vec::new(),
    }
}

fn ensure_target(workspace: &Workspace) -> Result<String, String> {
    let script = workspace.root.join("sdk/toolchain/ensure-wasm-target.sh");
    let mut command = Command::new("sh");
    command.arg(&script).stderr(Stdio::inherit());
    if std::env::var_os("WINDFLOW_WASM_SYSROOT").is_none() {
        command.env("WINDFLOW_WASM_SYSROOT", workspace.target.join("wasm-sysroot"));
    }
    let output = command.output().map_err(|error| format!("{}: {error}", script.display()))?;
    if !output.status.success() {
        return Err(format!("the Rust target {TARGET} is missing, see above"));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{}: it printed no text", script.display()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cargo build: {error}"))?;
    if status.success() { Ok(()) } else { Err("the guests do not build, see above".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_s_last_line_becomes_flags() {
        assert_eq!(sysroot("\n"), Vec::<OsString>::new());
        assert_eq!(sysroot(""), Vec::<OsString>::new());
        assert_eq!(sysroot("--sysroot /a b/c\n"), ["--sysroot", "/a b/c"]);
    }
}
