//! The plugins and templates that are part of the binary.

use std::borrow::Cow;

use windflow_marketplace::bundle::Bundle;

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
