//! Builds guests: compiles crates to WebAssembly and packs each with its `plugin.toml`.
//!
//! It is a program of its own, and no build script, because cargo cannot call itself while it builds: the lock of the
//! target directory is free only once `cargo run` has started this.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod marketplace;
mod output;
mod snapshot;
mod versions;

use windflow_build::{Guest, Workspace};

use output::Row;

const USAGE: &str = "\
Usage:
  cargo xtask plugins                     build every plugins/*/ and pack it to <target dir>/plugins/<folder>.wasm
  cargo xtask pack CRATE_DIR... --out DIR build guests that are no members of the workspace and pack them to DIR
  cargo xtask editor-core                 build windflow-core for the browser to <target dir>/editor/windflow_browser.wasm
  cargo xtask marketplace                 check and pack marketplace/*/*/ and sign the registry at <target dir>/marketplace
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match Command::parse(&arguments) {
        Some(Command::Help) => {
            print!("{USAGE}");
            Ok(())
        }
        Some(Command::Plugins) => plugins(),
        Some(Command::EditorCore) => editor_core(),
        Some(Command::Marketplace) => {
            Workspace::find(None).map_err(String::from).and_then(|workspace| marketplace::build(&workspace))
        }
        Some(Command::Pack { crates, out }) => pack(&crates, &out),
        None => Err(format!("these arguments are not known: {}\n{USAGE}", arguments.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, PartialEq)]
enum Command {
    Help,
    Plugins,
    EditorCore,
    Marketplace,
    Pack { crates: Vec<PathBuf>, out: PathBuf },
}

impl Command {
    fn parse(arguments: &[String]) -> Option<Self> {
        let (command, rest) = arguments.split_first()?;
        match (command.as_str(), rest) {
            ("help" | "--help" | "-h", _) => Some(Self::Help),
            ("plugins", []) => Some(Self::Plugins),
            ("editor-core", []) => Some(Self::EditorCore),
            ("marketplace", []) => Some(Self::Marketplace),
            ("pack", rest) => {
                let (mut crates, mut out) = (Vec::new(), None);
                let mut rest = rest.iter();
                while let Some(argument) = rest.next() {
                    match argument.as_str() {
                        "--out" => out = Some(rest.next()?.into()),
                        option if option.starts_with('-') => return None,
                        folder => crates.push(folder.into()),
                    }
                }
                if crates.is_empty() { None } else { Some(Self::Pack { crates, out: out? }) }
            }
            _ => None,
        }
    }
}

fn plugins() -> Result<(), String> {
    let workspace = Workspace::find(None)?;
    let guests = workspace.plugins()?;
    let out = workspace.target.join("plugins");
    if !guests.is_empty() {
        windflow_build::members(&workspace, &guests)?;
    }
    let rows = guests
        .iter()
        .map(|guest| {
            let row = pack_one(guest, &guest.artifact(&workspace.target), &out)?;
            if row.plugin == guest.name {
                return Ok(row);
            }
            Err(format!("{}: the plugin's name is {:?}: name it as its folder", guest.folder.display(), row.plugin))
        })
        .collect::<Result<Vec<Row>, String>>()?;
    let impure: Vec<String> = rows.iter().filter_map(Row::impurity).collect();
    if !impure.is_empty() {
        return Err(impure.join("\n"));
    }
    // The binary embeds whatever lies here, so a plugin that was removed must not stay.
    output::keep_only(&out, &guests)?;
    report(&rows)
}

fn editor_core() -> Result<(), String> {
    let workspace = Workspace::find(None)?;
    let built = windflow_build::browser(&workspace)?;
    let bytes = std::fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    let out = workspace.target.join("editor").join("windflow_browser.wasm");
    output::write_if_changed(&out, &bytes)?;
    println!("{} ({} KiB)", out.display(), bytes.len() / 1024);
    Ok(())
}

fn pack(crates: &[PathBuf], out: &Path) -> Result<(), String> {
    let workspace = Workspace::find(None)?;
    let target = workspace.target.join("guests");
    let mut rows = Vec::new();
    for folder in crates {
        let guest = Workspace::find(Some(folder))?.guest(folder)?;
        windflow_build::outsider(&guest, &target, &workspace.sysroots())?;
        // Before the next one is built: nothing keeps two of them from having the same library's name.
        rows.push(pack_one(&guest, &guest.artifact(&target), out)?);
    }
    report(&rows)
}

fn pack_one(guest: &Guest, artifact: &Path, out: &Path) -> Result<Row, String> {
    let mut module = std::fs::read(artifact).map_err(|error| format!("{}: {error}", artifact.display()))?;
    if guest.snapshot {
        module = snapshot::take(&module).map_err(|error| format!("{}: {error}", guest.folder.display()))?;
    }
    let (plugin, bytes) = guest.pack_module(&module)?;
    output::write_if_changed(&out.join(format!("{}.wasm", guest.name)), &bytes)?;
    Ok(Row::new(guest, &plugin, bytes.len()))
}

fn report(rows: &[Row]) -> Result<(), String> {
    print!("{}", output::table(rows));
    let large: Vec<String> = rows.iter().filter_map(Row::excess).collect();
    if large.is_empty() { Ok(()) } else { Err(large.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_understood_or_refused() {
        assert_eq!(parse("plugins"), Some(Command::Plugins));
        assert_eq!(parse("editor-core"), Some(Command::EditorCore));
        assert_eq!(parse("marketplace"), Some(Command::Marketplace));
        let pack = Command::Pack { crates: vec!["a".into(), "b".into()], out: "c".into() };
        assert_eq!(parse("pack a --out c b"), Some(pack));
        assert_eq!(parse("--help"), Some(Command::Help));
        for bad in ["", "plugin", "plugins x", "pack", "pack a", "pack --out c", "pack a --out", "pack a --outt c"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
