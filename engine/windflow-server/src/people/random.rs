//! Secrets that nobody can guess, and what is kept of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq as _;
use windflow_core::id::Digest;

use crate::problem::Problem;

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Problem::internal("the system gives no random numbers"))?;
    Ok(bytes)
}

/// 256 random bits as text.
pub(crate) fn secret() -> Result<String, Problem> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// What is kept of a random secret. It has 256 bits: a plain hash is enough, nobody can try them.
pub(crate) fn digest(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Whether a secret is the one of which the digest was kept, in the same time wherever the difference is.
pub(crate) fn matches(secret: &str, digest: &Digest) -> bool {
    Digest::of(secret.as_bytes()).0.ct_eq(&digest.0).into()
}

/// A token of several parts: `<kind>_<organisation>.<id>.<secret>`.
pub(crate) fn split(token: &str, kind: &str) -> Option<(String, String, String)> {
    let mut parts = token.strip_prefix(kind)?.strip_prefix('_')?.split('.');
    let (organisation, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then(|| (organisation.to_owned(), id.to_owned(), secret.to_owned()))
}

/// A password that nobody has chosen, for the command line to show once.
#[must_use]
pub fn generate_password() -> Option<String> {
    bytes::<18>().ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A key for [`Ports::secrets_keys`](crate::Ports), for the command line to keep.
#[must_use]
pub fn generate_key() -> Option<[u8; 32]> {
    bytes().ok()
}
