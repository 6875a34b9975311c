//! A registry, believed only under its key.

use windflow_core::id::Digest;

use crate::files::Fault;
use crate::index::{Entry, Index, MAX_BYTES, Packed};
use crate::package;
use crate::signature::PublicKey;
use crate::template::{self, Template};

/// Why a registry, or a package of it, is not believed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The index is longer than one may be.
    #[error("the index is longer than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// The signature is not of the pinned key.
    #[error("the index is not signed with the key that was pinned: somebody has changed it, or it is another registry")]
    Signature,
    /// It is older than one that was seen.
    #[error("the index is older than one that was seen: it is number {found}, and number {seen} was seen")]
    Downgrade {
        /// What was seen.
        seen: u64,
        /// What came now.
        found: u64,
    },
    /// It is signed, and no index.
    #[error("the index cannot be read: {0}")]
    Malformed(String),
    /// The package is another one than the index promises.
    #[error("the package of {0} is not the one that the index promises: somebody has changed it")]
    Digest(String),
    /// The template is not fit.
    #[error("the package of {name} is not fit: {}", .faults.first().map(|fault| fault.problem.message.as_str()).unwrap_or_default())]
    Unfit {
        /// Which.
        name: String,
        /// Why.
        faults: Vec<Fault>,
    },
}

/// Believes an index: of this key, and not older than what was seen.
///
/// # Errors
/// [`Refused`].
pub fn open(index: &[u8], signature: &[u8], key: &PublicKey, seen: u64) -> Result<Index, Refused> {
    if index.len() > MAX_BYTES {
        return Err(Refused::TooLarge);
    }
    // Nothing of it is looked at before it is known to be the registry's.
    if !key.signed(index, signature) {
        return Err(Refused::Signature);
    }
    let index = Index::from_bytes(index).map_err(Refused::Malformed)?;
    if index.sequence < seen {
        return Err(Refused::Downgrade { seen, found: index.sequence });
    }
    Ok(index)
}

/// Whether bytes are the package that the index promises.
///
/// # Errors
/// [`Refused::Digest`].
pub fn verify(entry: &Entry, promised: &Packed, bytes: &[u8]) -> Result<(), Refused> {
    let good = bytes.len() <= package::MAX_BYTES && Digest::of(bytes).to_string() == promised.digest;
    if good { Ok(()) } else { Err(Refused::Digest(entry.name().to_owned())) }
}

/// Believes a package: the one that the index promises, and a template of that name and version.
///
/// # Errors
/// [`Refused`].
pub fn accept(entry: &Entry, promised: &Packed, bytes: &[u8]) -> Result<Template, Refused> {
    verify(entry, promised, bytes)?;
    let name = entry.name().to_owned();
    let template = match template::from_package(bytes) {
        Ok(template) => template,
        Err(faults) => return Err(Refused::Unfit { name, faults }),
    };
    if template.manifest.name != name
        || template.manifest.version != promised.version
        || template.manifest.kind != entry.kind()
    {
        return Err(Refused::Digest(name));
    }
    Ok(template)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::make;
    use crate::signature::SigningKey;
    use crate::template::tests::shop;

    fn registry(sequence: u64) -> (Vec<u8>, String, SigningKey, Vec<u8>) {
        let made = make(&shop()).unwrap();
        let index = Index::new("ours", sequence, "2026-11-21T00:00:00Z", vec![made.entry]).to_bytes().unwrap();
        let (key, _) = SigningKey::generate().unwrap();
        let signature = key.sign(&index);
        (index, signature, key, made.package)
    }

    #[test]
    fn an_index_is_believed_under_its_key_and_never_an_older_one() {
        let (index, signature, key, package) = registry(7);
        let opened = open(&index, signature.as_bytes(), &key.public(), 7).unwrap();
        let entry = &opened.templates[0];
        let promised = entry.packed(None).unwrap();
        assert_eq!(accept(entry, promised, &package).unwrap().manifest.name, "shop");
        let old = open(&index, signature.as_bytes(), &key.public(), 8);
        assert_eq!(old.unwrap_err(), Refused::Downgrade { seen: 8, found: 7 });
        let stranger = SigningKey::generate().unwrap().0.public();
        assert_eq!(open(&index, signature.as_bytes(), &stranger, 0).unwrap_err(), Refused::Signature);
    }

    #[test]
    fn what_was_tampered_with_is_refused() {
        let (index, signature, key, package) = registry(1);
        for at in [0, index.len() / 2, index.len() - 1] {
            let mut changed = index.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, signature.as_bytes(), &key.public(), 0).unwrap_err(), Refused::Signature);
        }
        let opened = open(&index, signature.as_bytes(), &key.public(), 0).unwrap();
        let (entry, mut changed) = (&opened.templates[0], package);
        let last = changed.len() - 1;
        changed[last] ^= 1;
        let refused = accept(entry, entry.packed(None).unwrap(), &changed).unwrap_err();
        assert_eq!(refused, Refused::Digest("shop".into()));
        assert_eq!(open(&vec![b' '; MAX_BYTES + 1], b"", &key.public(), 0).unwrap_err(), Refused::TooLarge);
    }

    /// Even whoever holds the key gets nothing past the rules of names.
    #[test]
    fn a_signed_index_with_evil_names_is_refused() {
        let (index, _, key, _) = registry(1);
        let text = String::from_utf8(index).unwrap();
        for (from, to) in [
            ("\"name\": \"shop\"", "\"name\": \"../shop\""),
            ("\"registry\": 1", "\"registry\": 2"),
            ("\"category\": \"web\"", "\"category\": \"wab\""),
            ("\"size\": ", "\"size\": 99999"),
            ("{", "["),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            let refused = open(changed.as_bytes(), key.sign(changed.as_bytes()).as_bytes(), &key.public(), 0);
            assert!(matches!(refused, Err(Refused::Malformed(_))), "{to}: {refused:?}");
        }
    }
}
