//! The plugins and templates that are part of the binary.

use std::borrow::Cow;

use windflow_core::id::Digest;
use windflow_marketplace::bundle::Bundle;

/// A plugin of the binary. Its digest is known since it was built, so that starting does not read all of its bytes, which
/// nobody needs before its code is compiled: twelve megabytes of memory, and the time to hash them.
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) digest: Digest,
    pub(crate) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// The templates, to be opened under their key as any other registry.
pub(crate) fn templates() -> Bundle {
    Bundle {
        index: INDEX.into(),
        signature: SIGNATURE.into(),
        key: std::str::from_utf8(KEY).unwrap_or_default().trim().into(),
        packages: PACKAGES.iter().map(|(path, package)| (Cow::from(*path), Cow::from(*package))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_of_the_plugins() {
        assert!(!COMPONENTS.is_empty());
        for BuiltIn { name, digest, bytes } in COMPONENTS {
            assert_eq!(Digest::of(bytes), *digest, "{name}");
        }
    }
}
