//! What a component's imports mean for running it. Whether it may have them was checked when its package was read.

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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imports {
    pub(crate) contract: Contract,
    pub(crate) world: World,
    /// It can hear that its attempt should end.
    pub(crate) cancellation: bool,
}

impl Imports {
    /// Sorts the imports of a package.
    pub(crate) fn of(names: &[String]) -> Self {
        let mut imports = Self { contract: Contract::NEWEST, world: World::Node, cancellation: false };
        for name in names {
            let (interface, version) = name.split_once('@').unwrap_or((name, ""));
            if let Some(interface) = interface.strip_prefix("windflow:node/") {
                imports.contract = Contract::of_version(version).unwrap_or(imports.contract);
                imports.cancellation |= interface == "cancellation";
            } else if interface.starts_with("wasi:http/") {
                imports.world = World::Http;
            } else {
                imports.world = imports.world.max(World::Wasi);
            }
        }
        imports
    }
}
