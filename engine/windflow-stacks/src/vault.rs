//! What is kept secret is encrypted at rest, and opens only where it was put.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::NONCE_LEN;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::{Decrypted, KeyRing, Keys};

/// Seals values as text, each for one place.
pub struct Vault(KeyRing);

/// A secret does not open, or cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is kept secret under {0} does not open: it was encrypted with another key than the present one")]
pub struct Sealed(pub String);

impl Vault {
    /// With the installation's keys.
    #[must_use]
    pub fn new(keys: &Keys) -> Option<Self> {
        KeyRing::new(keys).map(Self)
    }

    /// Seals a value for one place.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn seal(&self, place: &str, value: &impl Serialize) -> Result<String, Sealed> {
        let bytes = serde_json::to_vec(value).map_err(|_| Sealed(place.to_owned()))?;
        self.seal_bytes(place, bytes)
    }

    fn seal_bytes(&self, place: &str, value: Vec<u8>) -> Result<String, Sealed> {
        let encrypted = self.0.encrypt(&bound(place), value).ok_or_else(|| Sealed(place.to_owned()))?;
        Ok(STANDARD.encode([&encrypted.nonce[..], &encrypted.bytes].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Where it was sealed for another place or with another key.
    pub fn open<T: DeserializeOwned>(&self, place: &str, sealed: &str) -> Result<T, Sealed> {
        let opened = self.open_bytes(place, sealed)?;
        serde_json::from_slice(&opened.value).map_err(|_| Sealed(place.to_owned()))
    }

    /// The same value under the present key; none where it is under that already.
    ///
    /// # Errors
    /// Where no key opens it.
    pub fn anew(&self, place: &str, sealed: &str) -> Result<Option<String>, Sealed> {
        let opened = self.open_bytes(place, sealed)?;
        if opened.is_current { Ok(None) } else { self.seal_bytes(place, opened.value).map(Some) }
    }

    fn open_bytes(&self, place: &str, sealed: &str) -> Result<Decrypted, Sealed> {
        let opened = || {
            let bytes = STANDARD.decode(sealed).ok()?;
            let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
            self.0.decrypt(&bound(place), nonce, sealed)
        };
        opened().ok_or_else(|| Sealed(place.to_owned()))
    }
}

/// The secrets of the server use the same key, and other words.
fn bound(place: &str) -> Vec<u8> {
    format!("windflow-stacks\0{place}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_open_only_where_they_were_sealed() {
        let vault = Vault::new(&[7; 32].into()).unwrap();
        let sealed = vault.seal("a", &"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(vault.open::<String>("a", &sealed).unwrap(), "secret");
        assert!(vault.open::<String>("b", &sealed).is_err());
        assert!(Vault::new(&[8; 32].into()).unwrap().open::<String>("a", &sealed).is_err());
        assert!(vault.open::<String>("a", "AAAA").is_err());
    }

    #[test]
    fn former_keys_open_and_never_seal() {
        let old = Vault::new(&[7; 32].into()).unwrap();
        let both = Vault::new(&Keys::new([8; 32], vec![[7; 32]])).unwrap();
        let new = Vault::new(&[8; 32].into()).unwrap();
        let sealed = old.seal("a", &"secret").unwrap();
        assert_eq!(both.open::<String>("a", &sealed).unwrap(), "secret");
        assert!(new.anew("a", &sealed).is_err() && both.anew("b", &sealed).is_err());
        let anew = both.anew("a", &sealed).unwrap().unwrap();
        assert_eq!(new.open::<String>("a", &anew).unwrap(), "secret");
        assert!(old.open::<String>("a", &anew).is_err());
        assert_eq!(both.anew("a", &anew).unwrap(), None);
        assert!(!format!("{:?}", Keys::new([8; 32], vec![[7; 32]])).contains('8'));
    }
}
