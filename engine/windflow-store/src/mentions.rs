//! The digests that records mention.
//!
//! A record names content by its digest as text, in a field of its own or deep within an output. The store looks for that
//! text and for nothing else, as a conservative garbage collector looks at a stack: no event of this or a later release can
//! forget to say what it refers to. A text that only looks like a mention keeps content for longer than needed, no more.

use std::collections::BTreeSet;

use memchr::memmem;
use windflow_core::id::Digest;

const BEGIN: &[u8] = b"sha256:";
const TEXT_BYTES: usize = BEGIN.len() + 64;

/// Adds the digests in some JSON.
pub(crate) fn find(json: &[u8], found: &mut BTreeSet<Digest>) {
    for place in memmem::find_iter(json, BEGIN) {
        let text = json.get(place..place + TEXT_BYTES).and_then(|text| std::str::from_utf8(text).ok());
        if let Some(Ok(digest)) = text.map(str::parse) {
            found.insert(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_wherever_they_are() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let text =
            format!(r#"{{"a":"{one}","b":["blob {two}{one}"],"c":"sha256:12","sha256:":"sha256:sha256:{two}"}}"#);
        let mut found = BTreeSet::new();
        find(text.as_bytes(), &mut found);
        assert_eq!(found, [one, two].into());
        let mut none = BTreeSet::new();
        for text in ["", "sha256:", &format!("{one}").to_uppercase(), &format!("{one}")[..70]] {
            find(text.as_bytes(), &mut none);
        }
        assert_eq!(none, BTreeSet::new());
    }
}
