//! `csv-read` and `csv-write`.

mod read;
mod write;

use windflow_sdk::NodeError;

pub use crate::read::{Config as ReadConfig, csv_read};
pub use crate::write::{Config as WriteConfig, csv_write};

windflow_sdk::plugin!(csv_read, csv_write);

/// A delimiter is one ASCII character.
fn delimiter(text: &str) -> Result<u8, NodeError> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(NodeError::new("invalid_config", "`delimiter` is one character, such as `,` or `;`")),
    }
}
