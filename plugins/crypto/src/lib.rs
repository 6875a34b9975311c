//! `hash`, `base64`, `jwt-verify`.

mod digest;
mod encode;
mod jwt;

use windflow_sdk::{Json, NodeError};

pub use crate::digest::{Algorithm, Config as HashConfig, Encoding, hash};
pub use crate::encode::{Encode, Operation, base64};
pub use crate::jwt::{Config as JwtConfig, jwt_verify};

windflow_sdk::plugin!(hash, base64, jwt_verify);

/// Text as it is, other values as their JSON text.
fn text_of(input: &Json) -> Result<String, NodeError> {
    if input.as_str().starts_with('"') { input.parse() } else { Ok(input.as_str().to_owned()) }
}
