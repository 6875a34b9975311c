//! JSON Web Tokens: verified, never made.

mod keys;

use windflow_sdk::serde_json::{Value, from_slice};
use windflow_sdk::{Json, NodeError, config, node, output};

use crate::encode::decode;

/// Tokens are headers of requests; longer ones are none.
const TOKEN_BYTES: usize = 64 << 10;

/// What is verified, and against what.
#[config]
pub struct Config {
    /// The token, with or without `Bearer` before it.
    token: String,
    /// The shared key for HS256, HS384 and HS512.
    #[serde(default)]
    secret: Option<String>,
    /// A JWK or JWKS for RS256, RS384, RS512 and ES256.
    #[serde(default)]
    keys: Option<Json>,
    /// What `iss` has to be.
    #[serde(default)]
    issuer: Option<String>,
    /// What `aud` has to be or hold.
    #[serde(default)]
    audience: Option<String>,
    /// The time in seconds since 1970, with which `exp` and `nbf` are compared.
    #[serde(default)]
    now: Option<i64>,
    /// Take a token without looking whether it is still valid.
    #[serde(default)]
    ignore_times: bool,
}

/// What a genuine token says.
#[output]
pub struct Output {
    /// Its header.
    header: Json,
    /// Its claims.
    claims: Json,
}

fn refused(why: impl Into<String>) -> NodeError {
    NodeError::new("invalid_token", why)
}

/// Verifies the token.
#[node(name = "jwt-verify")]
pub fn jwt_verify(config: Config) -> Result<Output, NodeError> {
    let token = config.token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    if token.len() > TOKEN_BYTES {
        return Err(refused("the token is too long"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(refused("the token has not the three parts of a signed one"));
    };
    let signed = &token[..header.len() + 1 + claims.len()];
    let bytes =
        |part: &str, what: &str| decode(part).ok_or_else(|| refused(format!("the token's {what} is no Base64")));
    let header = json(&bytes(header, "header")?, "header")?;
    let signature = bytes(signature, "signature")?;
    // What a critical extension means is not known here, so such a token cannot be understood (RFC 7515, 4.1.11).
    if header.get("crit").is_some() {
        return Err(refused("the token has critical extensions, which are not known here"));
    }
    match (&config.secret, &config.keys) {
        (Some(secret), None) => keys::with_secret(&header, secret, signed.as_bytes(), &signature)?,
        (None, Some(keys)) => keys::with_public(&header, &keys.parse()?, signed.as_bytes(), &signature)?,
        _ => {
            return Err(NodeError::new(
                "invalid_config",
                "write either `secret` or `keys`: what a token is held against",
            ));
        }
    }
    let claims = json(&bytes(claims, "claims")?, "claims")?;
    check(&config, &claims)?;
    Ok(Output { header: Json::of(&header)?, claims: Json::of(&claims)? })
}

fn json(bytes: &[u8], what: &str) -> Result<Value, NodeError> {
    from_slice::<Value>(bytes)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| refused(format!("the token's {what} is no JSON object")))
}

fn check(config: &Config, claims: &Value) -> Result<(), NodeError> {
    if let Some(issuer) = &config.issuer
        && claims["iss"].as_str() != Some(issuer)
    {
        return Err(refused("the token is of another issuer"));
    }
    if let Some(audience) = &config.audience {
        let all = claims["aud"].as_array().map_or_else(|| vec![&claims["aud"]], |all| all.iter().collect());
        if !all.iter().any(|one| one.as_str() == Some(audience)) {
            return Err(refused("the token is for another audience"));
        }
    }
    if config.ignore_times {
        return Ok(());
    }
    for (claim, after) in [("exp", true), ("nbf", false)] {
        let Some(value) = claims.get(claim) else { continue };
        let Some(time) = value.as_f64() else { return Err(refused(format!("the token's `{claim}` is no number"))) };
        let Some(now) = config.now else {
            return Err(NodeError::new(
                "invalid_config",
                format!("the token has `{claim}`, and nodes have no clock: write `now`, or `ignore_times: true`"),
            ));
        };
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        let now = now as f64;
        if after && now >= time {
            return Err(refused("the token is no longer valid"));
        }
        if !after && now < time {
            return Err(refused("the token is not valid yet"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
