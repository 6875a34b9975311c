//! `docs/semantics.md` held against the scenarios: each row of its tables names the folders that prove it, and no folder is named nowhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where scenarios are: those of the runtime over simulated time, and those of the command over a real disk, network and processes.
const FOLDERS: [&str; 2] = ["engine/windflow-runtime/tests/scenarios", "engine/windflow/tests/scenarios"];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

pub(crate) fn check() {
    let page = std::fs::read_to_string(project().join("docs/semantics.md")).unwrap();
    let mut there = BTreeSet::new();
    for folder in FOLDERS {
        for entry in std::fs::read_dir(project().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(there.insert(name.clone()), "two scenarios are called {name}");
        }
    }
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    // What follows a header is no row, and a header is what a line of dashes follows.
    let is_header = |row: &&&str| page.contains(&format!("{row}\n|---"));
    let rows: Vec<_> = rows.iter().filter(|row| !is_header(row)).collect();
    assert!(rows.len() > 50, "the tables are gone");
    let mut named = BTreeSet::new();
    for row in rows {
        let proofs: Vec<_> = row.rsplit('|').nth(1).into_iter().flat_map(quoted).map(str::to_owned).collect();
        assert!(!proofs.is_empty(), "no scenario proves this row:\n{row}");
        let missing: Vec<_> = proofs.iter().filter(|proof| !there.contains(*proof)).collect();
        assert!(missing.is_empty(), "there are no {missing:?}, which this row names:\n{row}");
        named.extend(proofs);
    }
    let unnamed: Vec<_> = there.difference(&named).collect();
    assert!(unnamed.is_empty(), "no row names {unnamed:?}");
    let proofs: BTreeSet<&str> = quoted(&page).filter(|word| word.starts_with("engine/")).collect();
    let missing: Vec<_> = proofs.iter().filter(|proof| !project().join(proof).exists()).collect();
    assert!(missing.is_empty(), "there are no {missing:?}");
}
