//! Lists in pages.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Answer, Problem};

/// Items of a page where nobody says how many.
const USUAL: u16 = 50;
/// Items of a page at most.
const MOST: u16 = 500;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub(crate) cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page, where there is one.
    pub(crate) next: Option<String>,
}

impl PageQuery {
    pub(crate) fn limit(&self) -> Answer<usize> {
        limit(self.limit)
    }

    pub(crate) fn after(&self) -> Answer<Option<String>> {
        self.cursor.as_deref().map(decode).transpose()
    }
}

pub(crate) fn limit(given: Option<u16>) -> Answer<usize> {
    match given.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit.into()),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", format!("`limit` is 1 to {MOST}"))),
    }
}

/// Cursors are opaque, so that what is behind them may change.
pub(crate) fn encode(after: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(after)
}

pub(crate) fn decode(cursor: &str) -> Answer<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|bytes| !bytes.is_empty());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)
}

pub(crate) fn invalid() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", "this is no cursor of this list")
        .remedy("take `next` of the page before, or leave `cursor` out to begin")
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, next: Option<impl AsRef<[u8]>>) -> Self {
        Self { items, next: next.map(encode) }
    }
}
