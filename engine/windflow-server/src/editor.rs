//! The web editor, which is part of the binary.
//!
//! Its files were compressed when it was built; what cannot be compressed lies there as it is. Nearly every client takes
//! them so; for the others they are unpacked here.

use std::borrow::Cow;
use std::io::Read;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../../web-editor/embedded"]
#[allow_missing = true]
struct Files;

/// What the page may do: run its own scripts and styles, and ask this server. Styles in elements are set by the text editor
/// and by the forms; there is no inline script.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Whether this build brings the editor along.
#[must_use]
pub fn has_editor() -> bool {
    Files::get("index.html.br").is_some() || Files::get("index.html").is_some()
}

/// Addresses of programs. A page is never the answer there.
const NOT_PAGES: [&str; 3] = ["/api/", "/hooks/", "/callbacks/"];

/// Answers what no route of the API takes: a file of the editor, or its page, which shows what the address names.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if NOT_PAGES.iter().any(|prefix| path.starts_with(prefix)) || !matches!(method, Method::GET | Method::HEAD) {
        return Problem::not_found("such address").into_response();
    }
    if let Some(response) = file(path.trim_start_matches('/'), &headers) {
        return response;
    }
    let wants_page = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if path != "/" && !wants_page.is_some_and(|accept| accept.contains("text/html")) {
        return Problem::not_found("such address").into_response();
    }
    file("index.html", &headers).unwrap_or_else(no_editor)
}

/// The reference of the API, to read and to try.
pub(crate) async fn api_docs(headers: HeaderMap) -> Response {
    file("api-docs/index.html", &headers).unwrap_or_else(no_editor)
}

fn no_editor() -> Response {
    let text = "This build of WindFlow has no web editor: build it with `make editor`, then build the binary again.\n\
        The API is at /api/v1, its OpenAPI document at /api/v1/openapi.json.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    if path.is_empty() {
        return None;
    }
    let (encoding, found) = packed(path, headers).or_else(|| Some((None, Files::get(path)?)))?;
    let tag = format!("\"{}\"", hex(&found.metadata.sha256_hash()));
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body: Cow<'static, [u8]> = found.data;
        axum::body::Body::from(body.into_owned()).into_response()
    };
    let fields = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            fields.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, media_type(path));
    set(header::ETAG, &tag);
    set(header::VARY, "accept-encoding");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    // Names of assets hold a digest of their content.
    let fixed = path.starts_with("assets/");
    set(header::CACHE_CONTROL, if fixed { "public, max-age=31536000, immutable" } else { "no-cache" });
    if let Some(encoding) = encoding {
        set(header::CONTENT_ENCODING, encoding);
    }
    Some(response)
}

/// A file as it was compressed, in a form that the client takes.
fn packed(path: &str, headers: &HeaderMap) -> Option<(Option<&'static str>, EmbeddedFile)> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |name: &str| {
        accepted.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next() == Some(name) && parts.next() != Some("q=0")
        })
    };
    if takes("br")
        && let Some(found) = Files::get(&format!("{path}.br"))
    {
        return Some((Some("br"), found));
    }
    let mut found = Files::get(&format!("{path}.gz"))?;
    if takes("gzip") {
        return Some((Some("gzip"), found));
    }
    let mut plain = Vec::new();
    // It is our own file, so that its size is known to be small.
    flate2::read::GzDecoder::new(&*found.data).read_to_end(&mut plain).ok()?;
    found.data = plain.into();
    Some((None, found))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
