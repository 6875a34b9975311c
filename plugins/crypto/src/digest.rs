//! Hashes and HMACs.

use hmac::{Hmac, Mac};
use sha2::Digest;
use windflow_sdk::{Json, NodeError, base64 as codec, config, node};

use crate::text_of;

/// What is hashed, and how.
#[config]
pub struct Config {
    /// The text, or JSON as it is; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
    /// The function. SHA-1 and MD5 are for old systems: they protect nothing.
    #[serde(default)]
    algorithm: Algorithm,
    /// How the result is written.
    #[serde(default)]
    encoding: Encoding,
    /// With a key, the result is an HMAC. The key stands in the workflow; to sign in secret, use a credential of the kind hmac.
    #[serde(default)]
    key: Option<String>,
}

/// The function.
#[config]
#[derive(Default, Clone, Copy)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-1, broken.
    Sha1,
    /// MD5, broken.
    Md5,
}

/// How the result is written.
#[config]
#[derive(Default, Clone, Copy)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits in lower case.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

/// Computes the hash.
#[node]
pub fn hash(config: Config) -> Result<String, NodeError> {
    let input = text_of(&config.input)?;
    let bytes = match &config.key {
        None => digest(config.algorithm, input.as_bytes()),
        Some(key) => hmac(config.algorithm, key.as_bytes(), input.as_bytes()),
    };
    Ok(match config.encoding {
        Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => codec::encode(&bytes),
    })
}

fn digest(algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha256 => sha2::Sha256::digest(input).to_vec(),
        Algorithm::Sha384 => sha2::Sha384::digest(input).to_vec(),
        Algorithm::Sha512 => sha2::Sha512::digest(input).to_vec(),
        Algorithm::Sha1 => sha1::Sha1::digest(input).to_vec(),
        Algorithm::Md5 => md5::Md5::digest(input).to_vec(),
    }
}

pub(crate) fn hmac(algorithm: Algorithm, key: &[u8], input: &[u8]) -> Vec<u8> {
    macro_rules! of {
        ($hash:ty) => {{
            // Keys of every length are taken, so it cannot fail.
            let Ok(mut mac) = Hmac::<$hash>::new_from_slice(key) else { return Vec::new() };
            mac.update(input);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match algorithm {
        Algorithm::Sha256 => of!(sha2::Sha256),
        Algorithm::Sha384 => of!(sha2::Sha384),
        Algorithm::Sha512 => of!(sha2::Sha512),
        Algorithm::Sha1 => of!(sha1::Sha1),
        Algorithm::Md5 => of!(md5::Md5),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::hash;

    #[track_caller]
    fn check(config: Value, expect: &str) {
        assert_eq!(testing::run(hash::NODE, config).unwrap().value, json!(expect));
    }

    #[test]
    fn known_answers() {
        check(json!({ "input": "abc" }), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check(json!({ "input": "abc", "algorithm": "sha1", "encoding": "base64" }), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        check(json!({ "input": "", "algorithm": "md5" }), "d41d8cd98f00b204e9800998ecf8427e");
        // RFC 4231, test case 2.
        check(
            json!({ "input": "what do ya want for nothing?", "key": "Jefe" }),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(
            json!({ "input": "what do ya want for nothing?", "key": "Jefe", "algorithm": "sha384", "encoding": "base64" }),
            "r0XS43ZIQDFhf3jStYprG5x+9GT1oBtH5C7Dc2MiRF6OIkDKXmnix4syOez6shZJ",
        );
    }

    #[test]
    fn json_is_hashed_as_it_is_written() {
        let (text, value) = (json!({ "input": "{\"a\":1}" }), json!({ "input": { "a": 1 } }));
        assert_eq!(testing::run(hash::NODE, text).unwrap(), testing::run(hash::NODE, value).unwrap());
    }
}
