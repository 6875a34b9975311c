//! What is installed, and what is refused with a reason.

use serde_json::json;
use windflow_core::ports::host::Registry;
use windflow_host::{HostConfig, Limits, LoadError, PluginHost};
use windflow_package::PackageError;

use crate::support::{add_section, component, everything, guest, host, manifest};

fn refused(component: Vec<u8>) -> LoadError {
    let host = host();
    let error = host.install(component).unwrap_err();
    assert!(host.list().is_empty(), "{error}");
    error
}

fn check(component: Vec<u8>, expect: fn(&PackageError) -> bool, says: &str) {
    let LoadError::Package(error) = refused(component) else { panic!("expected: {says}") };
    assert!(expect(&error), "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn no_component() {
    check(Vec::new(), |error| matches!(error, PackageError::NotWasm), "no WebAssembly");
    check(b"#!/bin/sh\n".to_vec(), |error| matches!(error, PackageError::NotWasm), "no WebAssembly");
    check(wat::parse_str("(module)").unwrap(), |error| matches!(error, PackageError::CoreModule), "core module");
    let whole = guest("echo", &json!({}));
    check(
        whole[..whole.len() / 2].to_vec(),
        |error| matches!(error, PackageError::Damaged(_) | PackageError::NoManifest),
        "",
    );
}

#[test]
fn no_manifest_or_a_wrong_one() {
    check(component("echo"), |error| matches!(error, PackageError::NoManifest), "no manifest");
    let mut twice = guest("echo", &json!({}));
    add_section(&mut twice, "windflow:manifest", b"{}");
    check(twice, |error| matches!(error, PackageError::ManyManifests), "more than one");
    let mut nonsense = component("echo");
    add_section(&mut nonsense, "windflow:manifest", b"{\"plugin\":1}");
    check(nonsense, |error| matches!(error, PackageError::ManifestSyntax(_)), "cannot be read");
}

#[test]
fn imports_beyond_the_manifest() {
    for (name, says) in [("context", "run_context"), ("cancel_politely", "cancellation"), ("http", "http")] {
        check(guest(name, &json!({})), |error| matches!(error, PackageError::NotAskedFor { .. }), says);
    }
}

#[test]
fn imports_that_nobody_offers() {
    check(
        guest("escape", &everything()),
        |error| matches!(error, PackageError::UnknownImport { .. }),
        "test:guests/nobody-offers-this",
    );
}

#[test]
fn no_export() {
    let mut component = wat::parse_str("(component)").unwrap();
    add_section(&mut component, "windflow:manifest", manifest("echo", &json!({})).to_string().as_bytes());
    check(component, |error| matches!(error, PackageError::NoExecute), "execute");
}

#[test]
fn another_version_of_the_contract() {
    let component = "(component (import \"windflow:node/log@2.0.0\" (instance)))";
    let mut component = wat::parse_str(component).unwrap();
    add_section(&mut component, "windflow:manifest", manifest("echo", &json!({})).to_string().as_bytes());
    check(component, |error| matches!(error, PackageError::ContractVersion { .. }), "windflow:node@1");
}

#[test]
fn too_large() {
    let limits = Limits { component_bytes: 100, ..Limits::default() };
    let host = PluginHost::new(HostConfig { limits, ..HostConfig::default() }).unwrap();
    assert!(matches!(host.install(guest("echo", &json!({}))), Err(LoadError::TooLarge { limit: 100, .. })));
}

/// Its manifest and imports are in order, its code is not: that shows when it is compiled, as a typed failure.
#[tokio::test]
async fn code_that_is_not_valid() {
    let text = r#"(component
        (core module $m (func (export "execute") (result i32) (i64.const 0)))
        (core instance $i (instantiate $m))
        (func (export "execute") (result u32) (canon lift (core func $i "execute"))))"#;
    let mut component = wat::parse_str(text).unwrap();
    add_section(&mut component, "windflow:manifest", manifest("echo", &json!({})).to_string().as_bytes());
    let host = host();
    let installed = host.install(component).unwrap();
    let attempt = crate::support::Attempt::of("echo");
    attempt.fails(&host, windflow_core::failure::FailureKind::Unavailable, "cannot be compiled").await;
    let told = host.compile(&installed[0].1.component).await.unwrap_err();
    assert!(told.contains("cannot be compiled"), "{told}");
}

/// An `execute` of another type than the contract's.
#[tokio::test]
async fn an_export_of_another_type() {
    let text = r#"(component
        (core module $m (func (export "execute") (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "execute") (result u32) (canon lift (core func $i "execute"))))"#;
    let mut component = wat::parse_str(text).unwrap();
    add_section(&mut component, "windflow:manifest", manifest("echo", &json!({})).to_string().as_bytes());
    let host = host();
    host.install(component).unwrap();
    let attempt = crate::support::Attempt::of("echo");
    attempt.fails(&host, windflow_core::failure::FailureKind::Unavailable, "does not fit the contract").await;
}

#[test]
fn a_later_version_takes_over_and_another_plugin_does_not() {
    let versioned = |version: &str, plugin: &str| {
        let mut manifest = manifest("echo", &json!({}));
        manifest["plugin"]["version"] = version.into();
        manifest["plugin"]["name"] = plugin.into();
        let mut component = component("echo");
        add_section(&mut component, "windflow:manifest", manifest.to_string().as_bytes());
        component
    };
    let host = host();
    let uses = "echo@1".parse().unwrap();
    let first = host.install(versioned("1.0.0", "echo")).unwrap()[0].1.component;
    assert_eq!(host.install(versioned("1.0.0", "echo")).unwrap()[0].1.component, first);
    let second = host.install(versioned("1.1.0", "echo")).unwrap()[0].1.component;
    assert_eq!(host.get(&uses).unwrap().component, second);
    host.install(versioned("1.0.1", "echo")).unwrap();
    assert_eq!(host.get(&uses).unwrap().component, second, "an earlier version takes nothing over");
    assert!(matches!(host.install(versioned("1.2.0", "mimic")), Err(LoadError::Taken { .. })));
    host.install(versioned("2.0.0", "echo")).unwrap();
    assert_eq!(host.list().len(), 2);
    host.keep(versioned("3.0.0", "echo")).unwrap();
    assert_eq!(host.list().len(), 2, "what is kept for runs offers nothing to others");
}
