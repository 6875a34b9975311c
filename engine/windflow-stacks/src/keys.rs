//! The keys that encrypt what is secret at rest, with AES-256-GCM: the one piece of code that does it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

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

/// Keys that are ready to be used.
pub struct KeyRing {
    current: LessSafeKey,
    former: Vec<LessSafeKey>,
}

/// What was encrypted, and the number used once that it was encrypted with.
pub struct Encrypted {
    /// The number.
    pub nonce: [u8; NONCE_LEN],
    /// The value and its tag.
    pub bytes: Vec<u8>,
}

/// What was decrypted.
pub struct Decrypted {
    /// The value.
    pub value: Vec<u8>,
    /// It was under the present key.
    pub is_current: bool,
}

impl KeyRing {
    /// A ring of these; none where a key is none, which the type rules out.
    #[must_use]
    pub fn new(keys: &Keys) -> Option<Self> {
        let key = |bytes: &[u8; 32]| UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new);
        let former = keys.former.iter().map(key).collect::<Option<_>>()?;
        Some(Self { current: key(&keys.current)?, former })
    }

    /// Encrypts with the present key. What it is bound to has to be said again to decrypt it. None where the system gives no random numbers.
    #[must_use]
    pub fn encrypt(&self, bound_to: &[u8], mut value: Vec<u8>) -> Option<Encrypted> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let used = Nonce::assume_unique_for_key(nonce);
        self.current.seal_in_place_append_tag(used, Aad::from(bound_to), &mut value).ok()?;
        Some(Encrypted { nonce, bytes: value })
    }

    /// Decrypts with whichever key fits; none where it is bound to something else, was changed, or no key fits.
    #[must_use]
    pub fn decrypt(&self, bound_to: &[u8], nonce: &[u8], bytes: &[u8]) -> Option<Decrypted> {
        let with = |key: &LessSafeKey| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut bytes = bytes.to_vec();
            Some(key.open_in_place(nonce, Aad::from(bound_to), &mut bytes).ok()?.to_vec())
        };
        let current = with(&self.current).map(|value| Decrypted { value, is_current: true });
        current.or_else(|| Some(Decrypted { value: self.former.iter().find_map(with)?, is_current: false }))
    }
}

/// What was encrypted anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// How many values got the present key.
    pub sealed: usize,
    /// Where values lie that no key opens. They were lost before.
    pub lost: Vec<String>,
}
