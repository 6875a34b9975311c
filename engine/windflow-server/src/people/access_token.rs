//! Access tokens: JWT that live for a quarter of an hour.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Records;
use windflow_core::run::Timestamp;

use super::{put_once, random};
use crate::problem::Problem;

/// How long one is valid, in seconds.
pub(crate) const LIFETIME: u64 = 15 * 60;

const ISSUER: &str = "windflow";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    /// The person.
    pub(super) sub: String,
    /// The organisation.
    pub(super) org: OrganisationId,
    /// The session: when that ends, so does the token.
    pub(super) sid: String,
    /// Seconds since 1970.
    pub(super) iat: u64,
    pub(super) exp: u64,
}

/// Makes and reads access tokens.
pub(super) struct AccessTokens {
    signing: EncodingKey,
    reading: DecodingKey,
}

impl AccessTokens {
    pub(super) async fn open(records: &dyn Records) -> Result<Self, Problem> {
        let key = put_once(records, "access_token_key", random::bytes::<32>()?.to_vec()).await?;
        Ok(Self::of(&key))
    }

    fn of(key: &[u8]) -> Self {
        Self { signing: EncodingKey::from_secret(key), reading: DecodingKey::from_secret(key) }
    }

    pub(super) fn make(
        &self,
        organisation: &OrganisationId,
        user: &str,
        session: &str,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let iat = now.0 / 1000;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: user.to_owned(),
            org: organisation.clone(),
            sid: session.to_owned(),
            iat,
            exp: iat + LIFETIME,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(Problem::internal)
    }

    /// What a token says, where it is genuine and has not expired.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        // Time is ours to tell, so that tests can.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.reading, &validation).ok()?.claims;
        (now.0 / 1000 < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: Timestamp = Timestamp(1_795_244_400_000);

    #[test]
    fn tokens_are_read_until_they_expire() {
        let tokens = AccessTokens::of(b"key");
        let token = tokens.make(&OrganisationId::local(), "u", "s", NOW).unwrap();
        assert_eq!(tokens.read(&token, NOW).unwrap().sub, "u");
        assert!(tokens.read(&token, Timestamp(NOW.0 + LIFETIME * 1000 - 1)).is_some());
        assert!(tokens.read(&token, Timestamp(NOW.0 + LIFETIME * 1000)).is_none());
    }

    #[test]
    fn forged_tokens_are_refused() {
        let tokens = AccessTokens::of(b"key");
        let token = tokens.make(&OrganisationId::local(), "u", "s", NOW).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let encode = |part: String| URL_SAFE_NO_PAD.encode(part);
        let other = encode(decode(parts[1]).replace("\"u\"", "\"v\""));
        let none = encode(decode(parts[0]).replace("HS256", "none"));
        for forged in [
            AccessTokens::of(b"other").make(&OrganisationId::local(), "u", "s", NOW).unwrap(),
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(tokens.read(&forged, NOW).is_none(), "{forged}");
        }
    }
}
