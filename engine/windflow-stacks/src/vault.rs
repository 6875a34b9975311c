//! What is kept secret is encrypted at rest, and opens only where it was put.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The keys of an installation: the one that encrypts, and those before it, which only open what is not encrypted anew yet.
#[derive(Clone)]
pub struct Keys {
    current: [u8; 32],
    former: Vec<[u8; 32]>,
}

impl Keys {
    /// These keys, the present one first.
    #[must_use]
    pub fn new(current: [u8; 32], former: Vec<[u8; 32]>) -> Self {
        Self { current, former }
    }

    /// The one that encrypts.
    #[must_use]
    pub fn current(&self) -> &[u8; 32] {
        &self.current
    }

    /// Those before it, the youngest first; none where nothing is left that one of them encrypted.
    #[must_use]
    pub fn former(&self) -> &[[u8; 32]] {
        &self.former
    }
}

impl From<[u8; 32]> for Keys {
    fn from(key: [u8; 32]) -> Self {
        Self::new(key, Vec::new())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys(1 and {} before it)", self.former.len())
    }
}

/// Encrypts with AES-256-GCM.
pub struct Vault {
    current: LessSafeKey,
    former: Vec<LessSafeKey>,
}

/// A secret does not open, or cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is kept secret under {0} does not open: it was encrypted with another key than the present one")]
pub struct Sealed(pub String);

impl Vault {
    /// With the installation's keys.
    #[must_use]
    pub fn new(keys: &Keys) -> Option<Self> {
        let key = |bytes: &[u8; 32]| UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new);
        let former = keys.former.iter().map(key).collect::<Option<_>>()?;
        Some(Self { current: key(&keys.current)?, former })
    }

    /// Seals a value for one place.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn seal(&self, place: &str, value: &impl Serialize) -> Result<String, Sealed> {
        let bytes = serde_json::to_vec(value).map_err(|_| Sealed(place.to_owned()))?;
        self.seal_bytes(place, bytes)
    }

    fn seal_bytes(&self, place: &str, mut value: Vec<u8>) -> Result<String, Sealed> {
        let cannot = || Sealed(place.to_owned());
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| cannot())?;
        self.current
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound(place)), &mut value)
            .map_err(|_| cannot())?;
        Ok(STANDARD.encode([&nonce[..], &value].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Where it was sealed for another place or with another key.
    pub fn open<T: DeserializeOwned>(&self, place: &str, sealed: &str) -> Result<T, Sealed> {
        let cannot = || Sealed(place.to_owned());
        let open = |key| open(key, place, sealed);
        let value = open(&self.current).or_else(|| self.former.iter().find_map(open)).ok_or_else(cannot)?;
        serde_json::from_slice(&value).map_err(|_| cannot())
    }

    /// The same value under the present key; none where it is under that already.
    ///
    /// # Errors
    /// Where no key opens it.
    pub fn anew(&self, place: &str, sealed: &str) -> Result<Option<String>, Sealed> {
        if open(&self.current, place, sealed).is_some() {
            return Ok(None);
        }
        let value = self.former.iter().find_map(|key| open(key, place, sealed));
        self.seal_bytes(place, value.ok_or_else(|| Sealed(place.to_owned()))?).map(Some)
    }
}

fn open(key: &LessSafeKey, place: &str, sealed: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = sealed.to_vec();
    let value = key.open_in_place(nonce, Aad::from(bound(place)), &mut sealed).ok()?;
    Some(value.to_vec())
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
