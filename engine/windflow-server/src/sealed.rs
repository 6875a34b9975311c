//! What is encrypted at rest: AES-256-GCM under the server's key, which does not lie in the store. A key before it opens what is not encrypted
//! anew yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use windflow_stacks::keys::{Decrypted, KeyRing, Keys};

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
pub(crate) struct Sealer(KeyRing);

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Result<Self, Problem> {
        KeyRing::new(keys).map(Self).ok_or_else(|| Problem::internal("the key of secrets is none"))
    }

    /// Encrypts. What it is bound to has to be said again to open it: moved elsewhere it does not open.
    pub(crate) fn seal(&self, bound_to: &str, value: &[u8]) -> Result<Sealed, Problem> {
        let encrypted = self.0.encrypt(bound_to.as_bytes(), value.to_vec());
        let encrypted = encrypted.ok_or_else(|| Problem::internal("a secret could not be encrypted"))?;
        Ok(Sealed { nonce: STANDARD.encode(encrypted.nonce), sealed: STANDARD.encode(encrypted.bytes) })
    }

    /// Decrypts; nothing where it was sealed with a key that there is not, bound to something else, or changed.
    pub(crate) fn open(&self, bound_to: &str, sealed: &Sealed) -> Option<Vec<u8>> {
        self.decrypt(bound_to, sealed).map(|opened| opened.value)
    }

    /// What it is, and whether it is under the present key.
    pub(crate) fn decrypt(&self, bound_to: &str, sealed: &Sealed) -> Option<Decrypted> {
        let (nonce, bytes) = (STANDARD.decode(&sealed.nonce).ok()?, STANDARD.decode(&sealed.sealed).ok()?);
        self.0.decrypt(bound_to.as_bytes(), &nonce, &bytes)
    }
}
