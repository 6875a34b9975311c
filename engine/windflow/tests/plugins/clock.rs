//! A plugin that asks for the time and for random numbers, from its source to a run.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::support::{Bench, Said};

const CODE: &str = r#"
use windflow_sdk::{NodeError, clock, config, node, output, random};

/// What is looked at.
#[config]
pub struct Config {
    /// A word that is handed on.
    #[serde(default)]
    word: String,
}

/// What was seen.
#[output]
pub struct Output {
    /// Milliseconds since 1970.
    now: u64,
    /// What was drawn.
    drawn: u32,
    /// The word.
    word: String,
}

/// Looks at the clock, and draws a number.
#[node]
pub fn look(config: Config) -> Result<Output, NodeError> {
    let drawn = u32::from_le_bytes(random::bytes(4).try_into().unwrap_or_default());
    let before = clock::elapsed();
    let now = clock::now().as_millis() as u64;
    if clock::elapsed() < before {
        return Err(NodeError::new("backwards", "time went back"));
    }
    Ok(Output { now, drawn, word: config.word })
}

windflow_sdk::plugin!(look);
"#;

const MANIFEST: &str = r#"
[plugin]
name = "look"
version = "1.0.0"
description.en = "Looks at the clock."

[capabilities]
clock = true
random = true

[node.look]
title.en = "Look"
description.en = "Looks at the clock, and draws a number."
category = "other"
icon = "lucide:clock"
config = "schema/look.config.json"
output = "schema/look.output.json"
"#;

fn workflow(permissions: &str) -> String {
    format!(
        "windflow: 1\nname: looks\n{permissions}nodes:\n  look: {{ uses: look@1 }}\n\
         outputs: {{ now: \"${{{{ nodes.look.output.now }}}}\", drawn: \"${{{{ nodes.look.output.drawn }}}}\" }}\n"
    )
}

/// The number that a case which expects another one was given.
fn drawn(said: &Said) -> String {
    let all = format!("{}{}", said.out, said.err);
    all.lines().find(|line| line.contains("+ ") && line.contains("drawn")).unwrap_or_else(|| panic!("{all}")).to_owned()
}

#[test]
fn time_and_chance_are_the_machines_in_a_run_and_the_tests_in_a_test() {
    let bench = Bench::for_builds("look");
    let write = |name: &str, text: &str| {
        let path = bench.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    bench.run(&["plugins", "new", "look"]).with(0, &[]);
    let cargo = bench.path().join("look/Cargo.toml");
    let text = std::fs::read_to_string(&cargo).unwrap();
    let dependency = "windflow-sdk = { path = \"sdk/rust\"";
    assert!(text.contains(dependency), "{text}");
    std::fs::write(&cargo, text.replace(dependency, &format!("{dependency}, features = [\"clock\", \"random\"]")))
        .unwrap();
    for old in ["greets.yaml", "needs-a-name.yaml"] {
        std::fs::remove_file(bench.path().join("look/cases").join(old)).unwrap();
    }
    // Written from the code when it is built.
    std::fs::remove_dir_all(bench.path().join("look/schema")).unwrap();
    write("look/src/lib.rs", CODE);
    write("look/plugin.toml", MANIFEST);
    write(
        "look/cases/begins.yaml",
        "permissions: { clock: true, random: true }\nexpect: { output: { now: 1767225600000, drawn: 0, word: \"\" } }\n",
    );

    // Whoever installs it reads what it may touch; nothing is asked for in vain.
    let reads = "It may read the time of the machine where the workflow allows that and draw random numbers";
    let said =
        bench.run(&["plugins", "check", "look"]).with(0, &[reads, "wasi:clocks/wall-clock", "wasi:random/random"]);
    assert!(!said.err.contains("not used"), "{}", said.err);
    bench.run(&["plugins", "install", "look", "--yes"]).with(0, &[reads]);
    bench.run(&["plugins", "show", "look"]).with(0, &[reads, "granted by permissions: { clock: true, random: true }"]);
    bench.run(&["plugins", "list"]).with(0, &["the time, random numbers"]);

    // In cases time begins where it always does, and chance is the same each time.
    let case = || bench.run(&["plugins", "test", "look"]).with(1, &["1 cases, 1 failed"]);
    let (first, second) = (case(), case());
    assert!(!first.err.contains("\"now\": 1767225600000,\n+"), "{}", first.err);
    assert_eq!(drawn(&first), drawn(&second));

    write("looks.yaml", &workflow(""));
    for command in ["validate", "plan", "run"] {
        bench.run(&[command, "looks.yaml"]).with(
            2,
            &[
                "clock_not_granted",
                "add to the workflow: permissions: { clock: true }",
                "random_not_granted",
                "add to the workflow: permissions: { random: true }",
            ],
        );
    }
    write("looks.yaml", &workflow("permissions: { clock: true }\n"));
    let half = bench.run(&["validate", "looks.yaml"]).with(2, &["random_not_granted"]);
    assert!(!half.err.contains("clock_not_granted"), "{}", half.err);

    let granted = workflow("permissions: { clock: true, random: true }\n");
    write("looks.yaml", &granted);
    bench
        .run(&["plan", "looks.yaml"])
        .with(0, &["the time of the machine, from look", "random numbers of the machine, from look"]);
    let looked = || {
        let ran = bench.run(&["run", "looks.yaml", "--quiet"]).with(0, &[]);
        let outputs: Value = serde_json::from_str(&ran.out).unwrap();
        (outputs["now"].as_u64().unwrap(), outputs["drawn"].as_u64().unwrap())
    };
    let now = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let began = now();
    let all = [looked(), looked(), looked()];
    assert!(all.is_sorted_by_key(|(now, _)| *now) && (began..=now()).contains(&all[0].0), "{all:?}");
    assert!(all.iter().any(|(_, drawn)| *drawn != all[0].1), "{all:?}");

    // `windflow test` pretends as `plugins test` does.
    write("cases/begins.yaml", "expect: { status: succeeded, outputs: { now: 1767225600000 } }\n");
    bench.run(&["test", "looks.yaml"]).with(0, &["1 cases, 0 failed"]);

    // What a workflow grants is pinned, and more of it fails a build.
    write(
        "looks.yaml",
        &granted
            .replace("look: { uses: look@1 }", "look: { uses: log@1, with: { message: hi } }")
            .replace("permissions: { clock: true, random: true }\n", "")
            .replace("nodes.look.output.now", "nodes.look.status")
            .replace("nodes.look.output.drawn", "nodes.look.status"),
    );
    bench.run(&["lock", "looks.yaml"]).with(0, &[]);
    write("looks.yaml", &granted);
    bench
        .run(&["check", "looks.yaml", "--locked"])
        .with(1, &["looks.yaml grants more: + clock: true", "looks.yaml grants more: + random: true"]);
}
