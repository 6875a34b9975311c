//! The versions of the plugin contract that the host speaks, one module each. A version only converts between its own
//! types and the capabilities; what a guest may do is decided below, in [`crate::capability`], for all versions alike.

pub(crate) mod v1;

/// A version of `windflow:node` by its major number. Minor ones only add functions and need no module of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    /// `windflow:node@1`
    V1,
}

impl Contract {
    /// The newest, which a component that imports nothing of the contract is taken for.
    pub(crate) const NEWEST: Self = Self::V1;

    /// The version that an import such as `windflow:node/log@1.0.0` belongs to; nothing for one that is not spoken.
    pub(crate) fn of_version(version: &str) -> Option<Self> {
        match version.split('.').next() {
            Some("1") => Some(Self::V1),
            _ => None,
        }
    }
}
