//! Guests, packages and servers that mean harm. Each attack ends in bounded time with the failure that names it, reaches
//! nothing that it was not granted, and nobody else notices. Every one is tried against every version of the contract.
//!
//! That credentials cannot be carried off is in `tests/host/credentials.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod cache;
mod cancellation;
mod computing;
mod empty_world;
mod files;
mod floods;
mod leaks;
mod mutated;
mod network;
mod nonsense;
mod packages;
#[path = "../support/mod.rs"]
mod support;
mod time_and_chance;

use std::path::Path;

use support::CONTRACTS;

/// Whoever adds a version of the contract has it attacked, too.
#[test]
fn every_version_of_the_contract_is_attacked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit");
    let mut known: Vec<_> = CONTRACTS.iter().map(|contract| contract.folder.to_owned()).collect();
    let mut there: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    known.sort();
    there.sort();
    assert_eq!(there, known);
    for contract in CONTRACTS {
        let named = format!("package windflow:node@{};", contract.version);
        let files = std::fs::read_dir(folder.join(contract.folder)).unwrap();
        let mut texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        assert!(texts.any(|text| text.contains(&named)), "{named}");
    }
}
