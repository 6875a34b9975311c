//! The layers of ARCHITECTURE.md, kept by machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each of our crates may depend on, of our crates.
const ALLOWED: &[(&str, &[&str])] = &[
    ("windflow-core", &[]),
    ("windflow-package", &["windflow-core"]),
    ("windflow-build", &["windflow-core", "windflow-package"]),
    ("windflow-store", &["windflow-core"]),
    ("windflow-host", &["windflow-core", "windflow-package"]),
    ("windflow-runtime", &["windflow-core"]),
    ("windflow-triggers", &["windflow-core"]),
    ("windflow-stacks", &["windflow-core"]),
    ("windflow-targets", &["windflow-core", "windflow-stacks"]),
    ("windflow-marketplace", &["windflow-core", "windflow-stacks"]),
    ("windflow-browser", &["windflow-core"]),
    (
        "windflow-server",
        &["windflow-core", "windflow-marketplace", "windflow-runtime", "windflow-stacks", "windflow-triggers"],
    ),
    ("windflow-testkit", &["windflow-core", "windflow-runtime", "windflow-store"]),
    // The plugin reads what servers send: it is fuzzed like what the engine reads itself.
    (
        "windflow-fuzz",
        &["windflow-core", "windflow-package", "windflow-plugin-git-checkout", "windflow-stacks", "windflow-testkit"],
    ),
    (
        "windflow",
        &[
            "windflow-build",
            "windflow-core",
            "windflow-host",
            "windflow-marketplace",
            "windflow-package",
            "windflow-runtime",
            "windflow-server",
            "windflow-stacks",
            "windflow-store",
            "windflow-targets",
        ],
    ),
    ("xtask", &["windflow-build", "windflow-marketplace", "windflow-package"]),
    ("windflow-sdk", &["windflow-sdk-macros"]),
    ("windflow-sdk-macros", &[]),
];

/// What the core must never be able to do.
const NOT_IN_CORE: &[&str] =
    &["tokio", "sled", "wasmtime", "rand", "getrandom", "chrono", "reqwest", "hyper", "tempfile"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dependencies(package: &Value) -> BTreeSet<String> {
    let normal = |dependency: &&Value| dependency["kind"].is_null();
    let all = package["dependencies"].as_array().unwrap().iter().filter(normal);
    all.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let ours: BTreeMap<String, BTreeSet<String>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| members.contains(package["id"].as_str().unwrap()))
        .map(|package| (package["name"].as_str().unwrap().to_owned(), dependencies(package)))
        .collect();
    for (name, dependencies) in &ours {
        let allowed: BTreeSet<&str> = match ALLOWED.iter().find(|(known, _)| known == name) {
            Some((_, allowed)) => allowed.iter().copied().collect(),
            None if name.starts_with("windflow-plugin-") => BTreeSet::from(["windflow-sdk"]),
            None => panic!("{name} has no place among the layers: give it one here and in ARCHITECTURE.md"),
        };
        for dependency in dependencies.iter().filter(|dependency| ours.contains_key(*dependency)) {
            assert!(allowed.contains(dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
    for forbidden in NOT_IN_CORE {
        assert!(
            !ours["windflow-core"].contains(*forbidden),
            "windflow-core is pure: it must not depend on {forbidden}"
        );
    }
}
