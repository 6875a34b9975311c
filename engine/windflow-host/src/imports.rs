//! What a component's imports mean for running it. Whether it may have them was checked when its package was read.

use windflow_core::capability::Capability;

use crate::contract::Contract;

/// How much must be linked. Each world holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum World {
    /// `windflow:node` only: plugins built with our SDK.
    Node,
    /// Also the empty WASI 0.2 of language runtimes.
    Wasi,
    /// Also `wasi:http`.
    Http,
}

/// What follows from a component's imports.
#[derive(Debug, Clone)]
pub(crate) struct Imports {
    pub(crate) contract: Contract,
    pub(crate) world: World,
    /// What it could do with what it imports, where it asks for that as well.
    pub(crate) capabilities: Vec<Capability>,
}

impl Imports {
    /// Sorts the imports of a package.
    pub(crate) fn of(names: &[String]) -> Self {
        let mut imports = Self { contract: Contract::NEWEST, world: World::Node, capabilities: Vec::new() };
        for name in names {
            let (interface, version) = name.split_once('@').unwrap_or((name, ""));
            if interface.starts_with("windflow:node/") {
                imports.contract = Contract::of_version(version).unwrap_or(imports.contract);
            } else if interface.starts_with("wasi:http/") {
                imports.world = World::Http;
            } else {
                imports.world = imports.world.max(World::Wasi);
            }
            imports.capabilities.extend(behind(interface).filter(|one| !imports.capabilities.contains(one)));
        }
        imports
    }
}

/// The capability that an interface gives.
fn behind(interface: &str) -> Option<Capability> {
    let (package, interface) = interface.split_once('/')?;
    match (package, interface) {
        ("windflow:node", "docker") => Some(Capability::Docker),
        ("windflow:node", "email") => Some(Capability::Email),
        ("windflow:node", "state") => Some(Capability::State),
        ("windflow:node", "files") => Some(Capability::Files),
        ("windflow:node", "events") => Some(Capability::Events),
        ("windflow:node", "run-context") => Some(Capability::RunContext),
        ("windflow:node", "cancellation") => Some(Capability::Cancellation),
        ("wasi:http", _) => Some(Capability::Http),
        ("wasi:clocks", _) => Some(Capability::Clock),
        ("wasi:random", _) => Some(Capability::Random),
        _ => None,
    }
}
