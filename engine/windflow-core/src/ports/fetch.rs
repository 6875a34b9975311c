//! Getting something from an address: registries of templates.

use super::store::BoxFuture;

/// Why nothing was got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It may not be asked.
    #[error("{0}")]
    Denied(String),
    /// There is more than was to be taken.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// It was answered with something else.
    #[error("the answer is {0}")]
    Status(u16),
    /// There was no answer.
    #[error("{0}")]
    Failed(String),
}

/// Gets what lies under addresses. Every address is checked after its name was resolved, and what is dialled is what was checked;
/// redirects are not followed.
pub trait Fetch: Send + Sync {
    /// What lies there, in bounded time and at most so many bytes.
    fn get<'a>(&'a self, url: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<u8>, FetchError>>;
}

/// Gets nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn get<'a>(&'a self, _: &'a str, _: usize) -> BoxFuture<'a, Result<Vec<u8>, FetchError>> {
        Box::pin(async { Err(FetchError::Denied("this program fetches nothing".to_owned())) })
    }
}
