//! Which pages of other addresses may ask the API from a browser: none, unless the operator names them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long browsers remember that they may.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Where a page comes from: scheme, host and port, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(HeaderValue);

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin: write https://app.example.org, with a port where there is one and nothing behind it; patterns are not taken"
)]
pub struct NoOrigin(String);

impl FromStr for Origin {
    type Err = NoOrigin;
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let no = || NoOrigin(text.to_owned());
        let uri: axum::http::Uri = text.parse().map_err(|_| no())?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(no)?;
        let host = uri.host().filter(|host| !host.contains('*') && !host.is_empty()).ok_or_else(no)?;
        let port = uri.port_u16();
        let usual = match (scheme, port) {
            // Browsers leave out the port that goes without saying.
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => String::new(),
            (_, Some(port)) => format!(":{port}"),
        };
        // What browsers send is this, to the letter: anything else would silently let nobody in.
        if text != format!("{scheme}://{host}{usual}") || text != text.to_ascii_lowercase() {
            return Err(no());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| no())
    }
}

impl TryFrom<String> for Origin {
    type Error = NoOrigin;
    fn try_from(text: String) -> Result<Self, NoOrigin> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// Tells browsers that pages of these origins may ask. They show who they are by a token that they send themselves: cookies are never
/// shared with them.
pub(crate) fn layer(origins: &[Origin]) -> CorsLayer {
    let request = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("last-event-id"),
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(|origin| origin.0.clone())))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(request)
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER])
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        for good in ["https://app.example.org", "http://localhost:5173", "https://[::1]:8443"] {
            assert_eq!(good.parse::<Origin>().unwrap().to_string(), good);
        }
        for bad in [
            "*",
            "null",
            "",
            "https://*.example.org",
            "https://app.example.org/",
            "https://app.example.org/path",
            "https://App.example.org",
            "https://app.example.org:443",
            "http://user@app.example.org",
            "file:///tmp",
            "app.example.org",
            "https://a.example.org,https://b.example.org",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
