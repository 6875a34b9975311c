//! What a node gives on.

use std::borrow::Cow;

use serde::Serialize;

use crate::NodeError;

/// A value and the port that it leaves by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission<T> {
    /// One of the ports of the manifest, or one that the configuration names where the manifest says `ports_from`.
    pub port: Cow<'static, str>,
    /// The value.
    pub value: T,
}

impl<T> Emission<T> {
    /// Emits a value out of a port.
    pub fn new(port: impl Into<Cow<'static, str>>, value: T) -> Self {
        Self { port: port.into(), value }
    }
}

/// An emission as the host takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEmission {
    /// The port.
    pub port: Cow<'static, str>,
    /// JSON text.
    pub value: Vec<u8>,
}

/// What a node type emits that never emits: `fn fail(config: Config) -> Result<Never, NodeError>`.
#[derive(Debug, Clone, Copy)]
pub enum Never {}

impl Serialize for Never {
    fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Never {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Never".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        false.into()
    }
}

/// What a node type's function may return: a serialisable value, or an [`Emission`] of one.
pub trait Emit {
    /// The type of the value.
    type Value: Serialize;

    /// As the host takes it.
    ///
    /// # Errors
    ///
    /// With code `invalid_output` when the value cannot be written as JSON.
    fn emit(self) -> Result<RawEmission, NodeError>;
}

impl<T: Serialize> Emit for T {
    type Value = T;

    fn emit(self) -> Result<RawEmission, NodeError> {
        Emission::new("out", self).emit()
    }
}

impl<T: Serialize> Emit for Emission<T> {
    type Value = T;

    fn emit(self) -> Result<RawEmission, NodeError> {
        let value = serde_json::to_vec(&self.value).map_err(|error| invalid_output(&error))?;
        Ok(RawEmission { port: self.port, value })
    }
}

fn invalid_output(error: &serde_json::Error) -> NodeError {
    let mut message = error.to_string();
    message.insert_str(0, "the node's output cannot be written as JSON: ");
    NodeError::new("invalid_output", message)
}
