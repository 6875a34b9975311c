//! Names and identifiers. All are validated where they enter, so that the rest of the code can trust them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::text::written_as_text;

/// A text that is no valid name or identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
    text: String,
}

impl InvalidId {
    fn new(what: &'static str, rule: &'static str, text: &str) -> Self {
        Self { what, rule, text: text.chars().take(80).collect() }
    }

    /// How one has to be written.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// Longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

fn is_snake(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_kebab(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if $valid(text) { Ok(Self(text.into())) } else { Err(InvalidId::new($what, $rule, text)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(d)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The key of a node in a workflow.
    NodeId, "node name", "it must begin with a lower-case letter and hold only a-z, 0-9 and _, 64 at most", is_snake
);
name!(
    /// The name of a port of a node.
    PortName, "port name", "it must begin with a lower-case letter and hold only a-z, 0-9 and _, 64 at most", is_snake
);
name!(
    /// The name of a workflow.
    WorkflowName, "workflow name", "it must begin with a lower-case letter and hold only a-z, 0-9, - and _, 64 at most", is_kebab
);
name!(
    /// The organisation that a record belongs to. Every key in the store begins with it.
    OrganisationId, "organisation id", "it must begin with a lower-case letter and hold only a-z, 0-9, - and _, 64 at most", is_kebab
);

impl OrganisationId {
    /// The organisation of an installation that has not made any other, and of the CLI.
    #[must_use]
    pub fn local() -> Self {
        Self("local".into())
    }

    /// What belongs to the installation itself: which organisations there are, who signs in to which. No organisation may
    /// take this name.
    #[must_use]
    pub fn installation() -> Self {
        Self("installation".into())
    }
}

/// One execution of a workflow. Made by the runtime as a UUID of version 7, so that ids sort by their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub uuid::Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new("run id", "it must be a UUID", text))
    }
}

/// A run together with the organisation that it belongs to: what the store and the runtime address runs by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// Whose run it is.
    pub organisation: OrganisationId,
    /// Which run it is.
    pub run: RunId,
}

/// The node type that a node names in `uses:`, such as `http@1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeTypeRef {
    /// Name of the node type.
    pub name: Arc<str>,
    /// Major version of the plugin that offers it.
    pub major: u64,
}

impl fmt::Display for NodeTypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.major)
    }
}

impl FromStr for NodeTypeRef {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("node type", "write its name and major version, as in http@1", text);
        let (name, major) = text.split_once('@').ok_or_else(invalid)?;
        if !is_kebab(name) || !major.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        Ok(Self { name: name.into(), major: major.parse().map_err(|_| invalid())? })
    }
}

written_as_text!(NodeTypeRef, Digest);

/// SHA-256 of content: what pins workflow versions and components, and addresses blobs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("digest", "it must be sha256: and 64 hexadecimal digits", text);
        let hex = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.is_ascii()).ok_or_else(invalid)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_where_they_enter() {
        for good in ["a", "fetch", "a_1"] {
            assert_eq!(good.parse::<NodeId>().unwrap().as_str(), good);
        }
        for bad in ["", "A", "1a", "a-b", "é", "a b", &"a".repeat(65)] {
            assert!(bad.parse::<NodeId>().is_err(), "{bad}");
        }
        assert_eq!("http@1".parse::<NodeTypeRef>().unwrap().to_string(), "http@1");
        for bad in ["http", "http@", "http@x", "@1", "Http@1", "http@-1", "http@99999999999999999999"] {
            assert!(bad.parse::<NodeTypeRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_read_back_what_they_print() {
        let digest = Digest::of(b"windflow");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert!("sha256:zz".parse::<Digest>().is_err());
    }
}
