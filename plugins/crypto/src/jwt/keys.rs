//! Keys, and the signatures that they verify. Which algorithms are taken follows from the key, never from the token alone:
//! a public key cannot be passed off as a shared one.

use hmac::Mac;
use p256::ecdsa::signature::Verifier;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::{BigUint, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use windflow_sdk::NodeError;
use windflow_sdk::serde_json::Value;

use super::refused;
use crate::encode::decode;

/// The most keys of a set that are looked at.
const KEYS: usize = 100;

/// Shorter keys of RSA can be broken; longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

fn algorithm(header: &Value) -> &str {
    header["alg"].as_str().unwrap_or_default()
}

fn forged() -> NodeError {
    refused("the token's signature is not genuine")
}

fn unknown(algorithm: &str, known: &str) -> NodeError {
    let shown: String = algorithm.chars().take(20).collect();
    refused(format!("the token is signed by {shown:?}; with what is written here it has to be {known}"))
}

pub(super) fn with_secret(header: &Value, secret: &str, signed: &[u8], signature: &[u8]) -> Result<(), NodeError> {
    macro_rules! verify {
        ($hash:ty) => {{
            let mac = hmac::Hmac::<$hash>::new_from_slice(secret.as_bytes()).map_err(|_| forged())?;
            mac.chain_update(signed).verify_slice(signature).map_err(|_| forged())
        }};
    }
    match algorithm(header) {
        "HS256" => verify!(Sha256),
        "HS384" => verify!(Sha384),
        "HS512" => verify!(Sha512),
        other => Err(unknown(other, "HS256, HS384 or HS512")),
    }
}

pub(super) fn with_public(header: &Value, keys: &Value, signed: &[u8], signature: &[u8]) -> Result<(), NodeError> {
    let set = keys["keys"].as_array().map_or_else(|| vec![keys], |keys| keys.iter().collect());
    let algorithm = algorithm(header);
    let kind = match algorithm {
        "RS256" | "RS384" | "RS512" => "RSA",
        "ES256" => "EC",
        other => return Err(unknown(other, "RS256, RS384, RS512 or ES256")),
    };
    let named = header["kid"].as_str();
    let fits = |key: &&&Value| {
        key["kty"] == kind
            && named.is_none_or(|kid| key["kid"].as_str().is_none_or(|known| known == kid))
            && key["alg"].as_str().is_none_or(|known| known == algorithm)
            && key["use"].as_str().is_none_or(|known| known == "sig")
    };
    let mut fitting = set.iter().filter(fits).take(KEYS).peekable();
    if fitting.peek().is_none() {
        return Err(refused("none of `keys` is the one that the token names"));
    }
    let genuine = fitting.any(|key| match kind {
        "RSA" => rsa(key, algorithm, signed, signature) == Some(true),
        _ => ec(key, signed, signature) == Some(true),
    });
    if genuine { Ok(()) } else { Err(forged()) }
}

fn rsa(key: &Value, algorithm: &str, signed: &[u8], signature: &[u8]) -> Option<bool> {
    let number = |name: &str| key[name].as_str().and_then(decode).map(|bytes| BigUint::from_bytes_be(&bytes));
    let (n, e) = (number("n")?, number("e")?);
    if !RSA_BITS.contains(&n.bits()) {
        return None;
    }
    let key = RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).ok()?;
    let verified = match algorithm {
        "RS256" => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(signed), signature),
        "RS384" => key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(signed), signature),
        _ => key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(signed), signature),
    };
    Some(verified.is_ok())
}

fn ec(key: &Value, signed: &[u8], signature: &[u8]) -> Option<bool> {
    if key["crv"] != "P-256" {
        return None;
    }
    let coordinate = |name: &str| key[name].as_str().and_then(decode).filter(|bytes| bytes.len() == 32);
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
    let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
    Some(key.verify(signed, &signature).is_ok())
}
