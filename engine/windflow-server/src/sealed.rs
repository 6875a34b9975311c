//! What is encrypted at rest: AES-256-GCM under the server's key, which does not lie in the store. A key before it opens what is not encrypted
//! anew yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use windflow_stacks::vault::Keys;

use crate::people::random;
use crate::problem::Problem;

/// Something encrypted, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// 12 bytes, in Base64.
    nonce: String,
    /// In Base64, with the tag behind it.
    sealed: String,
}

/// Encrypts and decrypts.
pub(crate) struct Sealer {
    current: LessSafeKey,
    former: Vec<LessSafeKey>,
}

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Result<Self, Problem> {
        let key = |bytes: &[u8; 32]| {
            let key =
                UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| Problem::internal("the key of secrets is none"))?;
            Ok(LessSafeKey::new(key))
        };
        let former = keys.former().iter().map(key).collect::<Result<_, Problem>>()?;
        Ok(Self { current: key(keys.current())?, former })
    }

    /// Encrypts. What it is bound to has to be said again to open it: moved elsewhere it does not open.
    pub(crate) fn seal(&self, bound_to: &str, value: &[u8]) -> Result<Sealed, Problem> {
        let nonce = random::bytes::<NONCE_LEN>()?;
        let mut sealed = value.to_vec();
        self.current
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to.as_bytes()), &mut sealed)
            .map_err(|_| Problem::internal("a secret could not be encrypted"))?;
        Ok(Sealed { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) })
    }

    /// Decrypts; nothing where it was sealed with a key that there is not, bound to something else, or changed.
    pub(crate) fn open(&self, bound_to: &str, sealed: &Sealed) -> Option<Vec<u8>> {
        let open = |key| open(key, bound_to, sealed);
        open(&self.current).or_else(|| self.former.iter().find_map(open))
    }

    /// Whether it is under the present key.
    pub(crate) fn is_current(&self, bound_to: &str, sealed: &Sealed) -> bool {
        open(&self.current, bound_to, sealed).is_some()
    }
}

fn open(key: &LessSafeKey, bound_to: &str, sealed: &Sealed) -> Option<Vec<u8>> {
    let nonce = STANDARD.decode(&sealed.nonce).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let mut bytes = STANDARD.decode(&sealed.sealed).ok()?;
    let value = key.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut bytes).ok()?;
    Some(value.to_vec())
}
