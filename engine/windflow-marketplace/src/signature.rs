//! Keys and signatures of registries: Ed25519.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// The key that a registry's index has to be signed with, written as `ed25519:BASE64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no key: one is written `ed25519:` and 44 letters, as whoever runs the registry tells")]
pub struct NoKey;

impl FromStr for PublicKey {
    type Err = NoKey;
    fn from_str(text: &str) -> Result<Self, NoKey> {
        let bytes = text.trim().strip_prefix("ed25519:").and_then(|text| STANDARD.decode(text).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NoKey)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NoKey;
    fn try_from(text: String) -> Result<Self, NoKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", STANDARD.encode(self.0))
    }
}

impl PublicKey {
    /// Whether a signature, in base64, is this key's for these bytes.
    #[must_use]
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let text = signature.trim_ascii();
        // 64 bytes are 88 letters: nothing longer is worth decoding.
        text.len() <= 88
            && STANDARD
                .decode(text)
                .is_ok_and(|signature| UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, &signature).is_ok())
    }
}

/// What a registry signs with. It is kept as PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` makes it.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

impl SigningKey {
    /// A new key, and how it is kept.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn generate() -> Result<(Self, String), NoKey> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| NoKey)?;
        let pem = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(made.as_ref()));
        Ok((Self::from_pem(&pem)?, pem))
    }

    /// Reads a kept key.
    ///
    /// # Errors
    /// Where it is none.
    pub fn from_pem(pem: &str) -> Result<Self, NoKey> {
        let start = pem.find(BEGIN).ok_or(NoKey)? + BEGIN.len();
        let end = pem.find(END).filter(|end| *end >= start).ok_or(NoKey)?;
        let body: String = pem[start..end].split_whitespace().collect();
        let document = STANDARD.decode(body).map_err(|_| NoKey)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).map(Self).map_err(|_| NoKey)
    }

    /// The key that others know it by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs bytes; the signature in base64, with a line's end.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        format!("{}\n", STANDARD.encode(self.0.sign(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_known_and_nothing_else() {
        let (key, pem) = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(key.public(), again.public());
        let public: PublicKey = key.public().to_string().parse().unwrap();
        let signature = key.sign(b"index");
        assert!(public.signed(b"index", signature.as_bytes()));
        assert!(!public.signed(b"indey", signature.as_bytes()));
        assert!(!SigningKey::generate().unwrap().0.public().signed(b"index", signature.as_bytes()));
        for bad in ["", "AAAA", "!", &"A".repeat(88), &"A".repeat(1 << 20)] {
            assert!(!public.signed(b"index", bad.as_bytes()));
        }
    }

    /// The example of RFC 8410, as `openssl genpkey -algorithm ed25519` writes it, too: without the public key.
    #[test]
    fn keys_of_other_tools_are_read() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            SigningKey::from_pem(pem).unwrap().public().to_string(),
            "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA", "x"] {
            assert_eq!(bad.parse::<PublicKey>(), Err(NoKey), "{bad}");
            assert!(SigningKey::from_pem(bad).is_err());
        }
    }
}
