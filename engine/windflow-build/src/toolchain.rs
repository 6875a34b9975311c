//! What compiling needs of the machine: cargo, and the WebAssembly target.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::BuildError;

/// The target of plugins. Unlike WASI's, a component made of it imports what it uses and nothing else.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Part of the program, so that an installed binary needs no checkout.
const ENSURE_TARGET: &str = include_str!("../../../sdk/toolchain/ensure-wasm-target.sh");

/// The cargo that runs this, and so the toolchain that it belongs to.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs cargo for what it prints.
pub(crate) fn output(command: &mut Command, what: &str) -> Result<Vec<u8>, BuildError> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| no_cargo(&error))?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{what} failed, see above").into()) }
}

/// Runs cargo for what it does.
pub(crate) fn run(command: &mut Command, otherwise: &str) -> Result<(), BuildError> {
    let status = command.status().map_err(|error| no_cargo(&error))?;
    if status.success() { Ok(()) } else { Err(otherwise.into()) }
}

fn no_cargo(error: &std::io::Error) -> BuildError {
    format!(
        "cargo cannot be run ({error}): install Rust, see https://rustup.rs, or say where it is by the variable CARGO"
    )
    .into()
}

/// Makes the target available, and gives the flags that guests need for it. A standard library that has to be built is kept
/// in a folder.
pub(crate) fn ensure_target(keep: &Path) -> Result<Vec<OsString>, BuildError> {
    let mut command = Command::new("sh");
    command.args(["-c", ENSURE_TARGET, "ensure-wasm-target.sh"]).stderr(Stdio::inherit());
    if std::env::var_os("WINDFLOW_WASM_SYSROOT").is_none() {
        command.env("WINDFLOW_WASM_SYSROOT", keep);
    }
    let output = command.output().map_err(|error| format!("sh cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(
            format!("the Rust target {TARGET} is missing, see above: `rustup target add {TARGET}` gets it").into()
        );
    }
    let printed = String::from_utf8(output.stdout).map_err(|_| "ensure-wasm-target.sh printed no text")?;
    Ok(sysroot(&printed))
}

/// What the script printed, as flags. A path may hold spaces, so it is not split there.
fn sysroot(printed: &str) -> Vec<OsString> {
    match printed.lines().last().unwrap_or_default().trim_end().split_once(' ') {
        Some((option, path)) => vec![option.into(), path.into()],
        None => Vec::new(),
    }
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
