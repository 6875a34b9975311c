//! Whether a request to a webhook is genuine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use windflow_core::problem::Problem;

use crate::fields::Fields;

/// What a request to a webhook has to show. There is no default: whoever wants none writes `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nothing. Everybody who knows the path starts runs.
    None,
    /// `Authorization: Bearer` and the secret.
    Bearer {
        /// Name of the secret.
        secret: String,
    },
    /// `Authorization: Basic`; the secret is `user:password`.
    Basic {
        /// Name of the secret.
        secret: String,
    },
    /// The secret in a header of its own, as GitLab and Telegram send it.
    Header {
        /// Name of the secret.
        secret: String,
        /// The header, in lower case.
        name: String,
    },
    /// A header with the HMAC-SHA-256 of the body, byte for byte as it came, under the secret.
    Hmac {
        /// Name of the secret.
        secret: String,
        /// The header, in lower case.
        header: String,
        /// What stands before the signature in it.
        prefix: String,
        /// Whether the signature is written in Base64 rather than in hexadecimal digits.
        base64: bool,
    },
}

/// What a request shows.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header that [`Auth::header`] names.
    pub header: Option<&'a str>,
    /// The body, as it came.
    pub body: &'a [u8],
}

/// The request does not show what it has to. Nobody is told which part is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied;

impl Auth {
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Problem> {
        let remedy = "write `auth: none`, `auth: { bearer: SECRET }`, `auth: { basic: SECRET }`, \
            `auth: { header: { name: x-gitlab-token, secret: SECRET } }` or \
            `auth: { hmac: { secret: SECRET, header: x-hub-signature-256 } }`";
        let wrong = |message: &str| fields.problem("invalid_auth", message).remedy(remedy);
        let auth = match fields.values.get("auth") {
            Some(Value::String(word)) if word == "none" => return Ok(Self::None),
            Some(Value::Object(auth)) if auth.len() == 1 => auth,
            _ => return Err(wrong("`auth` says in one word or one key how requests show that they may")),
        };
        let name = |value: &Value| match value.as_str() {
            Some(name) if is_secret_name(name) => Ok(name.to_owned()),
            _ => Err(wrong("the secret is named by a-z, 0-9 and _; its value is kept in the server")),
        };
        match auth.iter().next() {
            Some((key, value)) if key == "bearer" => Ok(Self::Bearer { secret: name(value)? }),
            Some((key, value)) if key == "basic" => Ok(Self::Basic { secret: name(value)? }),
            Some((key, Value::Object(header))) if key == "header" => {
                let secret = name(header.get("secret").unwrap_or(&Value::Null))?;
                let known = header.keys().all(|key| key == "secret" || key == "name");
                let named = header.get("name").and_then(Value::as_str).and_then(header_name).filter(|_| known);
                let name = named.ok_or_else(|| wrong("`header` has `name`, of a header, and `secret`"))?;
                Ok(Self::Header { secret, name })
            }
            Some((key, Value::Object(hmac))) if key == "hmac" => {
                Self::hmac(hmac, name(hmac.get("secret").unwrap_or(&Value::Null))?)
                    .ok_or_else(|| wrong("`hmac` has `secret`, `header`, `prefix` and `encoding: hex` or `base64`"))
            }
            _ => Err(wrong("there is no such kind of `auth`")),
        }
    }

    fn hmac(fields: &Map<String, Value>, secret: String) -> Option<Self> {
        let text = |key: &str, default: &str| match fields.get(key) {
            None => Some(default.to_owned()),
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => None,
        };
        let known = ["secret", "header", "prefix", "encoding"];
        let header = header_name(&text("header", "x-hub-signature-256")?)?;
        if fields.keys().any(|key| !known.contains(&key.as_str())) {
            return None;
        }
        let base64 = match text("encoding", "hex")?.as_str() {
            "hex" => false,
            "base64" => true,
            _ => return None,
        };
        Some(Self::Hmac { secret, header, prefix: text("prefix", if base64 { "" } else { "sha256=" })?, base64 })
    }

    /// The name of the secret that it needs, where it needs one.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Bearer { secret }
            | Self::Basic { secret }
            | Self::Header { secret, .. }
            | Self::Hmac { secret, .. } => Some(secret),
        }
    }

    /// The header beside `Authorization` that it looks at, in lower case, where it looks at one.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Header { name, .. } => Some(name),
            Self::Hmac { header, .. } => Some(header),
            Self::None | Self::Bearer { .. } | Self::Basic { .. } => None,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer { .. } => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::Hmac { .. } => "hmac",
        }
    }

    /// Whether the request shows what it has to, given the value of the secret. All comparisons take the same time wherever
    /// the difference is. A secret that is missing or empty lets nobody in.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check(&self, secret: Option<&[u8]>, request: &Presented<'_>) -> Result<(), Denied> {
        let secret = || secret.filter(|secret| !secret.is_empty()).ok_or(Denied);
        let after = |scheme: &str| {
            let (given, rest) = request.authorization?.split_once(' ')?;
            given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
        };
        match self {
            Self::None => Ok(()),
            Self::Bearer { .. } => same(after("bearer").ok_or(Denied)?.as_bytes(), secret()?),
            Self::Basic { .. } => {
                let given = STANDARD.decode(after("basic").ok_or(Denied)?).map_err(|_| Denied)?;
                same(&given, secret()?)
            }
            Self::Header { .. } => same(request.header.ok_or(Denied)?.trim().as_bytes(), secret()?),
            Self::Hmac { prefix, base64, .. } => {
                let given =
                    request.header.and_then(|given| given.trim().strip_prefix(prefix.as_str())).ok_or(Denied)?;
                let given = if *base64 { STANDARD.decode(given).ok() } else { unhex(given) }.ok_or(Denied)?;
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret()?);
                hmac::verify(&key, request.body, &given).map_err(|_| Denied)
            }
        }
    }
}

/// A header's name, in lower case.
fn header_name(text: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (!text.is_empty() && text.len() <= 64 && text.bytes().all(fits)).then(|| text.to_ascii_lowercase())
}

/// Whether secrets may be named so.
fn is_secret_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(fits)
}

fn same(given: &[u8], secret: &[u8]) -> Result<(), Denied> {
    if bool::from(given.ct_eq(secret)) { Ok(()) } else { Err(Denied) }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(auth: &Auth, secret: Option<&str>, header: Option<&str>, expect: bool) {
        let presented = Presented { authorization: header, header, body: b"{\"a\":1}" };
        let result = auth.check(secret.map(str::as_bytes), &presented);
        assert_eq!(result.is_ok(), expect, "{auth:?} {secret:?} {header:?}");
    }

    #[test]
    fn bearers_show_the_secret() {
        let bearer = Auth::Bearer { secret: "s".to_owned() };
        check(&bearer, Some("abc"), Some("Bearer abc"), true);
        check(&bearer, Some("abc"), Some("bearer  abc"), true);
        for bad in [
            Some("Bearer abd"),
            Some("Bearer ab"),
            Some("Bearer "),
            Some("Bearer"),
            Some("Basic abc"),
            Some("abc"),
            None,
        ] {
            check(&bearer, Some("abc"), bad, false);
        }
        check(&bearer, None, Some("Bearer abc"), false);
        check(&bearer, Some(""), Some("Bearer "), false);
    }

    #[test]
    fn basic_shows_user_and_password() {
        let basic = Auth::Basic { secret: "s".to_owned() };
        check(&basic, Some("me:pass"), Some("Basic bWU6cGFzcw=="), true);
        for bad in [Some("Basic bWU6cGFzcwo="), Some("Basic ?"), Some("Bearer bWU6cGFzcw=="), None] {
            check(&basic, Some("me:pass"), bad, false);
        }
    }

    #[test]
    fn headers_show_the_secret_alone() {
        let header = Auth::Header { secret: "s".to_owned(), name: "x-gitlab-token".to_owned() };
        check(&header, Some("abc"), Some("abc"), true);
        for bad in [Some("abd"), Some("ab"), Some(""), Some("Bearer abc"), None] {
            check(&header, Some("abc"), bad, false);
        }
        check(&header, None, Some("abc"), false);
        check(&header, Some(""), Some(""), false);
    }

    #[test]
    fn signatures_are_over_the_body_as_it_came() {
        let hmac = |base64, prefix: &str| Auth::Hmac {
            secret: "s".to_owned(),
            header: "x".to_owned(),
            prefix: prefix.to_owned(),
            base64,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let tag = hmac::sign(&key, b"{\"a\":1}");
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let based = STANDARD.encode(tag.as_ref());
        check(&hmac(false, "sha256="), Some("key"), Some(&format!("sha256={hex}")), true);
        check(&hmac(true, ""), Some("key"), Some(&based), true);
        check(&hmac(false, "sha256="), Some("other"), Some(&format!("sha256={hex}")), false);
        check(&hmac(false, "sha256="), None, Some(&format!("sha256={hex}")), false);
        let other = hmac::sign(&key, b"{\"a\": 1}");
        let other: String = other.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        for bad in [Some(other.as_str()), Some(&hex), Some("sha256="), Some("sha256=zz"), Some(""), None] {
            check(&hmac(false, "sha256="), Some("key"), bad, false);
        }
    }
}
