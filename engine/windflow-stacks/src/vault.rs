//! What is kept secret is encrypted at rest, and opens only where it was put.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Encrypts with AES-256-GCM.
pub struct Vault(LessSafeKey);

/// A secret does not open, or cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is kept secret under {0} does not open: it was encrypted with another key than the present one")]
pub struct Sealed(pub String);

impl Vault {
    /// With the installation's key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Seals a value for one place.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn seal(&self, place: &str, value: &impl Serialize) -> Result<String, Sealed> {
        let cannot = || Sealed(place.to_owned());
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| cannot())?;
        let mut sealed = serde_json::to_vec(value).map_err(|_| cannot())?;
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound(place)), &mut sealed)
            .map_err(|_| cannot())?;
        Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Where it was sealed for another place or with another key.
    pub fn open<T: DeserializeOwned>(&self, place: &str, sealed: &str) -> Result<T, Sealed> {
        let cannot = || Sealed(place.to_owned());
        let bytes = STANDARD.decode(sealed).map_err(|_| cannot())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(cannot)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| cannot())?;
        let mut sealed = sealed.to_vec();
        let value = self.0.open_in_place(nonce, Aad::from(bound(place)), &mut sealed).map_err(|_| cannot())?;
        serde_json::from_slice(value).map_err(|_| cannot())
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
        let vault = Vault::new(&[7; 32]).unwrap();
        let sealed = vault.seal("a", &"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(vault.open::<String>("a", &sealed).unwrap(), "secret");
        assert!(vault.open::<String>("b", &sealed).is_err());
        assert!(Vault::new(&[8; 32]).unwrap().open::<String>("a", &sealed).is_err());
        assert!(vault.open::<String>("a", "AAAA").is_err());
    }
}
