//! Packages whose manifests are traps for whoever reads them. What is merely wrong in a package is in `tests/host/load.rs`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windflow_core::manifest::MAX_MANIFEST_BYTES;
use windflow_host::LoadError;
use windflow_package::PackageError;

use crate::support::{CONTRACTS, add_section, host, manifest};

/// A package of every version with this text as its manifest is refused soon, and the reason says this.
fn check(text: &str, says: &str) {
    for contract in CONTRACTS {
        let mut package = contract.component("echo");
        add_section(&mut package, "windflow:manifest", text.as_bytes());
        let host = host();
        let begun = Instant::now();
        let Err(LoadError::Package(error)) = host.install(package) else { panic!("expected: {says}") };
        assert!(begun.elapsed() < Duration::from_secs(2), "{says}: took {:?}", begun.elapsed());
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().len() < 2_000, "{} bytes", error.to_string().len());
        assert!(!matches!(error, PackageError::NoManifest), "{error}");
    }
}

fn with_config(schema: &Value) -> String {
    let mut manifest = manifest("echo", &json!({}));
    manifest["node"]["echo"]["config"] = schema.clone();
    manifest.to_string()
}

#[test]
fn manifests_are_bounded_in_size_and_depth() {
    let long = "x".repeat(MAX_MANIFEST_BYTES);
    check(&with_config(&json!({ "description": long })), "more than the 262144 allowed");
    let deep = with_config(&json!({ "description": "DEEP" }));
    check(&deep.replace("\"DEEP\"", &("[".repeat(60_000) + &"]".repeat(60_000))), "cannot be read");
    check(&"[".repeat(200_000), "cannot be read");
}

/// A schema of a few lines that asks for more work than there is time.
#[test]
fn schemas_cannot_ask_for_endless_work() {
    check(&with_config(&json!({ "$ref": "#" })), "without end");
    check(
        &with_config(&json!({ "allOf": [{ "$ref": "#/$defs/a" }], "$defs": { "a": { "anyOf": [{ "$ref": "#" }] } } })),
        "without end",
    );
    let mut doubling = serde_json::Map::new();
    for n in 0..40 {
        let next = format!("#/$defs/d{}", n + 1);
        doubling.insert(format!("d{n}"), json!({ "allOf": [{ "$ref": next }, { "$ref": next }] }));
    }
    doubling.insert("d40".into(), json!({ "type": "object" }));
    check(&with_config(&json!({ "$ref": "#/$defs/d0", "$defs": doubling })), "too much work");
    let many: serde_json::Map<_, _> = (0..101).map(|n| (format!("p{n}"), json!({ "pattern": "a" }))).collect();
    check(&with_config(&json!({ "properties": many })), "more than 100 patterns");
}
