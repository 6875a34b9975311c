//! What is encrypted at rest, under the server's key, which does not lie in the store. A key before it opens what is not encrypted anew yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use windflow_stacks::keys::{Anew, KeyRing, Keys};

use crate::problem::Problem;

/// Something encrypted, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// What a value had beside it that lies in no envelope: such are kept since before there were envelopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    sealed: String,
}

impl Sealed {
    /// As [`KeyRing`] writes it.
    fn text(&self) -> Option<String> {
        let Some(nonce) = &self.nonce else { return Some(self.sealed.clone()) };
        Some(STANDARD.encode([STANDARD.decode(nonce).ok()?, STANDARD.decode(&self.sealed).ok()?].concat()))
    }
}

impl From<String> for Sealed {
    fn from(sealed: String) -> Self {
        Self { nonce: None, sealed }
    }
}

/// Encrypts and decrypts.
pub(crate) struct Sealer(KeyRing);

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Result<Self, Problem> {
        KeyRing::new(keys).map(Self).ok_or_else(|| Problem::internal("the key of secrets is none"))
    }

    /// Encrypts. What it is bound to has to be said again to open it: moved elsewhere it does not open.
    pub(crate) fn seal(&self, bound_to: &str, value: &[u8]) -> Result<Sealed, Problem> {
        let sealed = self.0.seal(bound_to.as_bytes(), value);
        sealed.map(Sealed::from).ok_or_else(|| Problem::internal("a secret could not be encrypted"))
    }

    /// Decrypts; nothing where it was sealed with a key that there is not, bound to something else, or changed.
    pub(crate) fn open(&self, bound_to: &str, sealed: &Sealed) -> Option<Vec<u8>> {
        self.0.open(bound_to.as_bytes(), &sealed.text()?)
    }

    /// What to keep in its place, so that it is under the present key.
    pub(crate) fn anew(&self, bound_to: &str, sealed: &Sealed) -> Anew {
        sealed.text().map_or(Anew::Lost, |text| self.0.anew(bound_to.as_bytes(), &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server wrote it that knew of no envelopes: the key is 32 sevens, and it is bound to `place`.
    const BEFORE: &str = r#"{"nonce":"08QVT7pe+9wEHaep","sealed":"TvwWuari5fYvobed2d9PR1wPbM13tQ=="}"#;

    #[test]
    fn what_an_older_server_kept_opens_and_gets_an_envelope() {
        let before: Sealed = serde_json::from_str(BEFORE).unwrap();
        let sealer = Sealer::new(&[7; 32].into()).unwrap();
        assert_eq!(sealer.open("place", &before).unwrap(), b"s3cret");
        assert_eq!(sealer.open("elsewhere", &before), None);
        let Anew::Changed(anew) = sealer.anew("place", &before) else { panic!("it has no envelope") };
        let anew = Sealed::from(anew);
        assert_eq!(sealer.open("place", &anew).unwrap(), b"s3cret");
        assert!(!serde_json::to_string(&anew).unwrap().contains("nonce"));
    }
}
