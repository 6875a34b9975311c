//! docs/plugins/tutorial.md does what it says, from an empty folder.

use std::path::Path;

use super::support::Bench;

/// What a reader does, in order.
#[derive(Debug)]
enum Step {
    /// Types a command, and reads what is written below it.
    Command { text: String, shown: Vec<String> },
    /// Writes a file.
    Write { path: String, text: String },
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = document.lines();
    let mut file = None;
    while let Some(line) = lines.next() {
        if let Some((_, rest)) = line.split_once("Write this into `") {
            file = rest.split('`').next().map(str::to_owned);
        }
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else { continue };
        let mut block = lines.by_ref().take_while(|line| *line != "```");
        if language == "console" {
            while let Some(line) = block.next() {
                if let Some(command) = line.strip_prefix("$ ") {
                    let mut text = command.to_owned();
                    if let Some((_, end)) = command.split_once("<<'") {
                        let end = end.trim_end_matches('\'');
                        for line in block.by_ref() {
                            text = format!("{text}\n{line}");
                            if line == end {
                                break;
                            }
                        }
                    }
                    steps.push(Step::Command { text, shown: Vec::new() });
                } else if let Some(Step::Command { shown, .. }) = steps.last_mut() {
                    shown.push(line.to_owned());
                }
            }
        } else {
            let text: Vec<&str> = block.collect();
            if let Some(path) = file.take() {
                steps.push(Step::Write { path, text: text.join("\n") + "\n" });
            }
        }
    }
    steps
}

#[test]
fn the_tutorial_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = std::fs::read_to_string(root.join("docs/plugins/tutorial.md")).unwrap();
    let bench = Bench::for_builds("tutorial");
    // The binary's folder comes first in the path, as for somebody who installed it.
    let binaries = Path::new(env!("CARGO_BIN_EXE_windflow")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for step in steps(&document) {
        match step {
            Step::Write { path, text } => std::fs::write(bench.path().join(path), text).unwrap(),
            Step::Command { text, shown } => {
                commands += 1;
                let mut command = bench.command_of("bash");
                let output = command.args(["-euo", "pipefail", "-c", &text]).env("PATH", &path).output().unwrap();
                let said =
                    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert!(output.status.success(), "{text}\n{said}");
                for line in shown {
                    assert!(said.contains(line.trim()), "{text} does not say {line:?}:\n{said}");
                }
            }
        }
    }
    assert!(commands > 12, "{commands}");
}
