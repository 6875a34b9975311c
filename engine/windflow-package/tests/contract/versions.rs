//! A component that was built against a released version has to run for ever: the contract of a major version only grows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::signature::Contract;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// What a released version promised that another does not keep.
fn broken(released: &Contract, now: &Contract, is_final: bool) -> Vec<String> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (released.items().into_iter().collect(), now.items().into_iter().collect());
    let mut found = Vec::new();
    for (name, was) in &old {
        match new.get(name) {
            None => found.push(format!("`{name}` is gone")),
            Some(is) if is != was => found.push(format!("`{name}` was `{was}` and is `{is}`")),
            Some(_) => {}
        }
    }
    let added: Vec<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    // Components that exist do not have it.
    found.extend(
        added.iter().filter(|name| name.starts_with("export ")).map(|name| format!("`{name}` is asked for anew")),
    );
    let (was, is) = (released.version(), now.version());
    if is.major != was.major || is < was {
        found.push(format!("the version is {is}, after {was}"));
    }
    if is_final && !added.is_empty() && (is.major, is.minor) == (was.major, was.minor) {
        found.push(format!("{added:?} came after {was} was released: the next minor version is due"));
    }
    found
}

#[test]
fn everything_that_was_released_is_there_still() {
    let now = Contract::read(&folder("sdk/wit/v1/node.wit"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder("engine/windflow-host/tests/released")).unwrap() {
        let release = entry.unwrap().path();
        if !release.is_dir() {
            continue;
        }
        let released = Contract::read(&release.join("node.wit"));
        assert_eq!(released.version().to_string(), release.file_name().unwrap().to_string_lossy());
        let broken = broken(&released, &now, release.join("release.txt").exists());
        assert!(
            broken.is_empty(),
            "components built against {} no longer run:\n{}",
            released.version(),
            broken.join("\n")
        );
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn what_breaks_components_is_found() {
    let contract = std::fs::read_to_string(folder("sdk/wit/v1/node.wit")).unwrap();
    let released = Contract::parse(&contract);
    for (from, to, says) in [
        ("    details: option<json>,\n", "", "`types.node-error` was"),
        ("    may-help,\n", "    may-help,\n    perhaps,\n", "`types.retry-hint` was"),
        ("enum level { debug, info, warn, error }", "enum level { info, debug, warn, error }", "`log.level` was"),
        ("  import progress;\n", "", "`import progress` is gone"),
        ("attempt: func() -> u32", "attempt: func() -> u64", "`run-context.attempt` was"),
        ("  run-id: func() -> string;\n", "", "`run-context.run-id` is gone"),
        ("  export execute:", "  export prepare: func();\n  export execute:", "`export prepare` is asked for anew"),
        ("export execute: func(node-type: string,", "export execute: func(", "`export execute` was"),
        ("windflow:node@1.0.0", "windflow:node@0.9.0", "the version is 0.9.0"),
    ] {
        assert!(contract.contains(from), "{from}");
        let found = broken(&released, &Contract::parse(&contract.replacen(from, to, 1)), false);
        assert!(found.iter().any(|found| found.contains(says)), "{from:?} -> {to:?} finds {found:?}");
    }
}

#[test]
fn what_is_added_is_a_minor_version_once_there_was_a_release() {
    let contract = std::fs::read_to_string(folder("sdk/wit/v1/node.wit")).unwrap();
    let grown =
        contract.replacen("  run-id: func() -> string;", "  run-id: func() -> string;\n  moon: func() -> u8;", 1);
    let released = Contract::parse(&contract);
    assert!(broken(&released, &Contract::parse(&grown), false).is_empty());
    let found = broken(&released, &Contract::parse(&grown), true);
    assert!(found.len() == 1 && found[0].contains("moon") && found[0].contains("minor version is due"), "{found:?}");
    let next = format!("{}.{}.0", released.version().major, released.version().minor + 1);
    let grown = grown.replace(&format!("@{}", released.version()), &format!("@{next}"));
    assert!(broken(&released, &Contract::parse(&grown), true).is_empty());
}
