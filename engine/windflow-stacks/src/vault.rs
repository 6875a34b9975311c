//! What is kept secret is encrypted at rest, and opens only where it was put.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::{Anew, KeyRing, Keys};

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
        let sealed = serde_json::to_vec(value).ok().and_then(|bytes| self.0.seal(&bound(place), &bytes));
        sealed.ok_or_else(|| Sealed(place.to_owned()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Where it was sealed for another place or with another key.
    pub fn open<T: DeserializeOwned>(&self, place: &str, sealed: &str) -> Result<T, Sealed> {
        let opened = self.0.open(&bound(place), sealed).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        opened.ok_or_else(|| Sealed(place.to_owned()))
    }

    /// The same value under the present key; none where it is under that already.
    ///
    /// # Errors
    /// Where no key opens it.
    pub fn anew(&self, place: &str, sealed: &str) -> Result<Option<String>, Sealed> {
        match self.0.anew(&bound(place), sealed) {
            Anew::IsCurrent => Ok(None),
            Anew::Changed(sealed) => Ok(Some(sealed)),
            Anew::Lost => Err(Sealed(place.to_owned())),
        }
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
