//! The operator's key to whole capabilities: what no workflow of this engine is given, whatever it grants. Where requests may go
//! is the operator's as well, in `http/policy.rs`.

use std::collections::BTreeSet;

use windflow_core::capability::Capability;
use windflow_core::failure::{Failure, FailureKind};

use crate::plugin::Plugin;

/// Refuses an attempt that could use what the operator denies, before its guest does anything.
pub(crate) fn check(
    denied: &BTreeSet<Capability>,
    plugin: &Plugin,
    has_credential: bool,
    hands_files: bool,
) -> Result<(), Failure> {
    // Of nearly every engine nothing is denied.
    let used = |capability: &&Capability| match capability {
        Capability::Credentials => has_credential,
        Capability::HandsFiles => hands_files,
        _ => plugin.uses(**capability),
    };
    let Some(capability) = denied.iter().find(used) else { return Ok(()) };
    let name = &plugin.manifest.plugin.name;
    let why = format!(
        "`{capability}`, which the plugin {name} uses, was denied: the operator of this engine gives it to no workflow. To allow it, start the server without `--deny {capability}`"
    );
    Err(Failure::new(FailureKind::Denied, why))
}
