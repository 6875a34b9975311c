//! The keys that encrypt what is secret at rest, with AES-256-GCM: the one piece of code that does it.
//!
//! Each value lies in an envelope: it is encrypted with a data key of its own, and that with the installation's key. Another key of the
//! installation encrypts the data keys anew, and touches no value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
///
/// What they seal is text: the data key and the value, each in Base64 with its nonce before it and its tag behind it, with [`BETWEEN`] them.
/// Before there were envelopes it was one part, the value under the installation's key; that still opens.
pub struct KeyRing {
    current: LessSafeKey,
    former: Vec<LessSafeKey>,
}

/// Stands between a data key and what it encrypted; Base64 has none.
const BETWEEN: char = '.';

/// What it takes to encrypt something sealed with the present key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anew {
    /// Nothing: it is.
    IsCurrent,
    /// To keep this in its place.
    Changed(String),
    /// It cannot be had: no key opens it, it is bound to something else, or it was changed.
    Lost,
}

fn key(bytes: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new)
}

/// A nonce, what was encrypted, and its tag. None where the system gives no random numbers.
fn encrypt(key: &LessSafeKey, bound_to: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let mut encrypted = value.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut encrypted).ok()?;
    Some([&nonce[..], &encrypted].concat())
}

fn decrypt(key: &LessSafeKey, bound_to: &[u8], encrypted: &[u8]) -> Option<Vec<u8>> {
    let (nonce, encrypted) = encrypted.split_at_checked(NONCE_LEN)?;
    let (nonce, mut encrypted) = (Nonce::try_assume_unique_for_key(nonce).ok()?, encrypted.to_vec());
    Some(key.open_in_place(nonce, Aad::from(bound_to), &mut encrypted).ok()?.to_vec())
}

/// What a data key is bound to, whose value is bound to this: neither opens in the place of the other.
fn of_data_key(bound_to: &[u8]) -> Vec<u8> {
    [b"data key\0", bound_to].concat()
}

impl KeyRing {
    /// A ring of these; none where a key is none, which the type rules out.
    #[must_use]
    pub fn new(keys: &Keys) -> Option<Self> {
        let former = keys.former.iter().map(|bytes| key(bytes)).collect::<Option<_>>()?;
        Some(Self { current: key(&keys.current)?, former })
    }

    /// Seals with the present key. What it is bound to has to be said again to open it. None where the system gives no random numbers.
    #[must_use]
    pub fn seal(&self, bound_to: &[u8], value: &[u8]) -> Option<String> {
        let mut data_key = [0; 32];
        SystemRandom::new().fill(&mut data_key).ok()?;
        let value = encrypt(&key(&data_key)?, bound_to, value)?;
        Some(format!("{}{BETWEEN}{}", self.wrap(bound_to, &data_key)?, STANDARD.encode(value)))
    }

    /// Opens with whichever key fits; none where it is bound to something else, was changed, or no key fits.
    #[must_use]
    pub fn open(&self, bound_to: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let Some((wrapped, value)) = sealed.split_once(BETWEEN) else {
            let sealed = STANDARD.decode(sealed).ok()?;
            return self.with_any(bound_to, &sealed).map(|(value, _)| value);
        };
        let (data_key, _) = self.unwrap(bound_to, wrapped)?;
        decrypt(&key(&data_key)?, bound_to, &STANDARD.decode(value).ok()?)
    }

    /// What to keep in the place of something sealed, so that it is under the present key.
    #[must_use]
    pub fn anew(&self, bound_to: &[u8], sealed: &str) -> Anew {
        let Some(opened) = self.open(bound_to, sealed) else { return Anew::Lost };
        let changed = match sealed.split_once(BETWEEN) {
            None => self.seal(bound_to, &opened),
            Some((wrapped, value)) => match self.unwrap(bound_to, wrapped) {
                Some((_, true)) => return Anew::IsCurrent,
                Some((data_key, false)) => {
                    self.wrap(bound_to, &data_key).map(|wrapped| format!("{wrapped}{BETWEEN}{value}"))
                }
                None => None,
            },
        };
        changed.map_or(Anew::Lost, Anew::Changed)
    }

    fn wrap(&self, bound_to: &[u8], data_key: &[u8]) -> Option<String> {
        encrypt(&self.current, &of_data_key(bound_to), data_key).map(|wrapped| STANDARD.encode(wrapped))
    }

    fn unwrap(&self, bound_to: &[u8], wrapped: &str) -> Option<(Vec<u8>, bool)> {
        self.with_any(&of_data_key(bound_to), &STANDARD.decode(wrapped).ok()?)
    }

    /// What it is, and whether it is under the present key.
    fn with_any(&self, bound_to: &[u8], encrypted: &[u8]) -> Option<(Vec<u8>, bool)> {
        let current = decrypt(&self.current, bound_to, encrypted).map(|value| (value, true));
        current.or_else(|| Some((self.former.iter().find_map(|key| decrypt(key, bound_to, encrypted))?, false)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(current: u8, former: &[u8]) -> KeyRing {
        KeyRing::new(&Keys::new([current; 32], former.iter().map(|key| [*key; 32]).collect())).unwrap()
    }

    #[test]
    fn another_key_changes_data_keys_and_no_value() {
        let (old, both, new) = (ring(7, &[]), ring(8, &[7]), ring(8, &[]));
        let sealed = old.seal(b"a", b"secret").unwrap();
        let Anew::Changed(anew) = both.anew(b"a", &sealed) else { panic!("it is under the old key") };
        let parts =
            |sealed: &str| sealed.split_once(BETWEEN).map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
        let ((old_key, old_value), (new_key, new_value)) = (parts(&sealed), parts(&anew));
        assert!(old_value == new_value && old_key != new_key);
        assert_eq!(new.open(b"a", &anew).unwrap(), b"secret");
        assert_eq!((old.open(b"a", &anew), both.anew(b"a", &anew)), (None, Anew::IsCurrent));
        assert_eq!((new.open(b"a", &sealed), new.anew(b"a", &sealed)), (None, Anew::Lost));
    }

    #[test]
    fn a_data_key_opens_its_own_value_in_its_own_place_only() {
        let ring = ring(7, &[]);
        let [one, other] = [b"one", b"two"].map(|value| ring.seal(b"a", value).unwrap());
        let (key, _) = one.split_once(BETWEEN).unwrap();
        let (_, value) = other.split_once(BETWEEN).unwrap();
        for wrong in
            [format!("{key}{BETWEEN}{value}"), format!("{value}{BETWEEN}{key}"), format!("{BETWEEN}"), key.to_owned()]
        {
            assert_eq!((ring.open(b"a", &wrong), ring.anew(b"a", &wrong)), (None, Anew::Lost), "{wrong}");
        }
        assert_eq!(ring.open(b"b", &one), None);
        assert_eq!(ring.open(b"a", &one).unwrap(), b"one");
    }

    #[test]
    fn what_is_in_no_envelope_opens_and_gets_one() {
        let (old, both, new) = (ring(7, &[]), ring(8, &[7]), ring(8, &[]));
        let bare = STANDARD.encode(encrypt(&key(&[7; 32]).unwrap(), b"a", b"secret").unwrap());
        assert!(old.open(b"a", &bare).unwrap() == b"secret" && both.open(b"a", &bare).unwrap() == b"secret");
        assert_eq!(new.open(b"a", &bare), None);
        // Its key is the present one or was: it gets an envelope.
        for (ring, opens) in [(&old, &old), (&both, &new)] {
            let Anew::Changed(anew) = ring.anew(b"a", &bare) else { panic!("it has no envelope") };
            assert!(anew.contains(BETWEEN) && opens.open(b"a", &anew).unwrap() == b"secret");
        }
    }
}
