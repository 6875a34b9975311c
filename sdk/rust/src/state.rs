//! Values that the workflow keeps between its runs. The manifest has to say `state = true`; a node type that uses it is not
//! pure.
//!
//! A change is durable when it returns. It is made once although the attempt is made again, after a crash or a failure, as
//! long as a node run makes its changes in the same order. Natively values live as long as the thread.

use serde::Serialize;

#[cfg(not(target_arch = "wasm32"))]
use crate::testing::state as host;
use crate::{Json, NodeError, Retry};

/// A value that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Json,
    /// Changes with every change of the value.
    pub version: u64,
}

/// What a change wants to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever there is, or nothing.
    Any,
    /// Nothing.
    Absent,
    /// The value of this version.
    Version(u64),
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Something else is there than was expected: read it again and decide anew.
    Conflict,
    /// The workflow does not grant it.
    Denied(String),
    /// A key, a value or all of them are beyond their bound.
    Refused(String),
    /// The store cannot be read or written; later it may.
    Unavailable(String),
}

/// The value of a key.
///
/// # Errors
///
/// [`Error`].
pub fn get(key: &str) -> Result<Option<Entry>, Error> {
    host::get(key)
}

/// Sets a value; gives its new version.
///
/// # Errors
///
/// [`Error`].
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T, expected: Expected) -> Result<u64, Error> {
    let value = serde_json::to_vec(value).map_err(|error| Error::Refused(error.to_string()))?;
    host::set(key, value, expected)
}

/// Takes a value away.
///
/// # Errors
///
/// [`Error`].
pub fn delete(key: &str, expected: Expected) -> Result<(), Error> {
    host::delete(key, expected)
}

impl From<Error> for NodeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict => {
                Self::new("state_conflict", "somebody else changes the same value").with_retry(Retry::MayHelp)
            }
            Error::Denied(why) => Self::new("denied", why),
            Error::Refused(why) => Self::new("state_refused", why),
            Error::Unavailable(why) => Self::new("state_unavailable", why).with_retry(Retry::MayHelp),
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod host {
    use super::{Entry, Error, Expected};
    use crate::Json;
    use crate::bindings::windflow::node::state::{self as guest, StateError};

    pub(super) fn get(key: &str) -> Result<Option<Entry>, Error> {
        let Some(entry) = guest::get(key).map_err(error)? else { return Ok(None) };
        let text =
            String::from_utf8(entry.value).map_err(|_| Error::Unavailable("a kept value is no text".to_owned()))?;
        let value = Json::from_text(text).map_err(|error| Error::Unavailable(error.message))?;
        Ok(Some(Entry { value, version: entry.version }))
    }

    pub(super) fn set(key: &str, value: Vec<u8>, wanted: Expected) -> Result<u64, Error> {
        guest::set(key, &value, expected(wanted)).map_err(error)
    }

    pub(super) fn delete(key: &str, wanted: Expected) -> Result<(), Error> {
        guest::delete(key, expected(wanted)).map_err(error)
    }

    fn expected(expected: Expected) -> guest::Expected {
        match expected {
            Expected::Any => guest::Expected::Any,
            Expected::Absent => guest::Expected::Absent,
            Expected::Version(version) => guest::Expected::Version(version),
        }
    }

    fn error(error: StateError) -> Error {
        match error {
            StateError::Conflict => Error::Conflict,
            StateError::Denied(why) => Error::Denied(why),
            StateError::Refused(why) => Error::Refused(why),
            StateError::Unavailable(why) => Error::Unavailable(why),
        }
    }
}
