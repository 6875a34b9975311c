//! Packages made of real components: what they are read as, what is refused, and that no bytes make reading panic.
#![allow(clippy::unwrap_used, reason = "test helpers; a failure is the test's")]

use std::sync::LazyLock;

use proptest::prelude::*;
use windflow_core::id::Digest;
use windflow_core::manifest::{MANIFEST_SECTION, MAX_MANIFEST_BYTES, Manifest};
use windflow_package::{MAX_PACKAGE_BYTES, PackageError, manifest_from_toml, pack, read};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

const CONTRACT: &str = include_str!("../../../sdk/wit/v1/node.wit");

/// A core module, as an SDK would make it, of a world that imports and exports what is given.
fn module(items: &str) -> Vec<u8> {
    module_of(CONTRACT, "1.0.0", items)
}

fn module_of(contract: &str, version: &str, items: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_source("node.wit", contract).unwrap();
    resolve.push_source("http.wit", "package wasi:http@0.2.6; interface types { send: func(); }").unwrap();
    resolve.push_source("cli.wit", "package wasi:cli@0.2.6; interface stdout { get-stdout: func(); }").unwrap();
    resolve.push_source("kv.wit", "package wasi:keyvalue@0.2.0; interface store { open: func(); }").unwrap();
    let world = format!(
        "package test:guest; world guest {{ use windflow:node/types@{version}.{{json, emission, node-error}}; {items} }}"
    );
    let package = resolve.push_source("guest.wit", &world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

const EXECUTE: &str = "export execute: func(node-type: string, config: json) -> result<emission, node-error>;";

fn manifest(capabilities: &str) -> Manifest {
    let text = format!(
        "[plugin]\nname = \"t\"\nversion = \"1.0.0\"\ndescription.en = \"Test.\"\n[capabilities]\n{capabilities}\n\
         [node.t]\ntitle.en = \"T\"\ndescription.en = \"T.\"\ncategory = \"other\"\nicon = \"lucide:box\"\nconfig = \"c.json\"\n"
    );
    manifest_from_toml(&text, |_| Ok("{}".to_owned())).unwrap()
}

fn packed() -> Vec<u8> {
    pack(&module(&format!("import windflow:node/log@1.0.0; {EXECUTE}")), &manifest("")).unwrap()
}

fn with_section(mut component: Vec<u8>, data: &[u8]) -> Vec<u8> {
    use wasm_encoder::ComponentSection as _;
    wasm_encoder::CustomSection { name: MANIFEST_SECTION.into(), data: data.into() }
        .append_to_component(&mut component);
    component
}

#[test]
fn a_packed_module_reads_back() {
    let bytes = packed();
    let package = read(&bytes).unwrap();
    assert_eq!(package.manifest, manifest(""));
    assert_eq!(package.digest, Digest::of(&bytes));
    assert!(package.pure, "{:?}", package.imports);
    assert_eq!(package.imports, ["windflow:node/log@1.0.0", "windflow:node/types@1.0.0"]);
}

#[test]
fn the_whole_contract_can_be_implemented() {
    let items = "import windflow:node/log@1.0.0; import windflow:node/progress@1.0.0; \
                 import windflow:node/run-context@1.0.0; import windflow:node/cancellation@1.0.0; import wasi:http/types@0.2.6;";
    let all = manifest("http = [\"*\"]\nrun_context = true\ncancellation = true");
    let package = read(&pack(&module(&format!("{items} {EXECUTE}")), &all).unwrap()).unwrap();
    assert!(!package.pure);
    assert_eq!(package.imports.len(), 6, "{:?}", package.imports);
}

#[test]
fn packing_again_replaces_the_manifest() {
    let first = packed();
    assert_eq!(first, packed(), "packing is reproducible");
    let other = manifest("run_context = true");
    let second = pack(&first, &other).unwrap();
    assert_eq!(read(&second).unwrap().manifest, other);
    assert_eq!(pack(&second, &manifest("")).unwrap(), first);
}

#[test]
fn imports_beyond_the_manifest_are_refused() {
    for (import, capabilities, said) in [
        ("windflow:node/run-context@1.0.0", "", Some("run_context = true")),
        ("windflow:node/cancellation@1.0.0", "", Some("cancellation = true")),
        ("wasi:http/types@0.2.6", "", Some("http = ")),
        ("wasi:http/types@0.2.6", "http = [\"example.com\"]", None),
        ("wasi:cli/stdout@0.2.6", "", None),
        ("wasi:keyvalue/store@0.2.0", "", Some("does not offer")),
    ] {
        let outcome = pack(&module(&format!("import {import}; {EXECUTE}")), &manifest(capabilities));
        match (outcome, said) {
            (Ok(package), None) => assert!(!read(&package).unwrap().pure, "{import}"),
            (Err(error), Some(said)) => {
                let error = error.to_string();
                assert!(error.contains(said) && error.contains(import), "{import}: {error}");
            }
            (outcome, _) => panic!("{import}: {:?}", outcome.map(|package| package.len())),
        }
    }
}

#[test]
fn another_contract_is_refused() {
    let next = CONTRACT.replace("@1.0.0", "@2.0.0");
    let error = pack(&module_of(&next, "2.0.0", EXECUTE), &manifest("")).unwrap_err();
    assert!(matches!(error, PackageError::ContractVersion { .. }), "{error}");
    let error = pack(&module("export run: func();"), &manifest("")).unwrap_err();
    assert!(matches!(error, PackageError::NoExecute), "{error}");
}

#[test]
fn what_is_no_package_is_told_apart() {
    let good = packed();
    let bare = b"\0asm\x0d\0\x01\0";
    assert!(matches!(read(b""), Err(PackageError::NotWasm)));
    assert!(matches!(read(b"#!/bin/sh\n"), Err(PackageError::NotWasm)));
    assert!(matches!(read(&module(EXECUTE)), Err(PackageError::CoreModule)));
    assert!(matches!(read(b"\0asm\x0e\0\x01\0"), Err(PackageError::UnknownFormat(0x1_000e))));
    assert!(matches!(read(bare), Err(PackageError::NoManifest)));
    assert!(matches!(read(&good[..good.len() - 1]), Err(PackageError::Damaged(_))));
    assert!(matches!(read(&with_section(good.clone(), b"{}")), Err(PackageError::ManyManifests)));
    assert!(matches!(read(&with_section(bare.to_vec(), b"{}")), Err(PackageError::ManifestSyntax(_))));
    let long = vec![b' '; MAX_MANIFEST_BYTES + 1];
    assert!(matches!(read(&with_section(bare.to_vec(), &long)), Err(PackageError::ManifestTooLarge(_))));
    assert!(matches!(read(&vec![0; MAX_PACKAGE_BYTES + 1]), Err(PackageError::TooLarge(_))));
    assert!(matches!(pack(b"\0asm\x01\0\0\0", &manifest("")), Err(PackageError::NoComponentType)));
}

#[test]
fn a_manifest_hidden_in_a_nested_component_does_not_count() {
    use wasm_encoder::{Component, RawSection};
    let inner = packed();
    let mut outer = Component::new();
    outer.section(&RawSection { id: 4, data: &inner });
    assert!(matches!(read(&outer.finish()), Err(PackageError::NoManifest)));
}

/// Sections may claim to hold any number of things: that must cost nothing.
#[test]
fn absurd_counts_are_refused() {
    for section in [10, 11] {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend([section, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(matches!(read(&bytes), Err(PackageError::Damaged(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Damaged packages give errors or, where the damage lies in the code, are read; they never make it panic.
    #[test]
    fn no_bytes_make_it_panic(
        core in any::<bool>(),
        cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        truncate in any::<bool>(),
    ) {
        static GOOD: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [packed(), module(EXECUTE)]);
        let mut bytes = GOOD[usize::from(core)].clone();
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if truncate {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(package) = read(&bytes) {
            prop_assert!(!package.manifest.nodes.is_empty());
        }
        // Nor must making a component of a module.
        let _ = pack(&bytes, &manifest(""));
    }

    #[test]
    fn no_garbage_makes_it_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(tail);
        let _ = read(&bytes);
    }
}
