//! JSON that is handed on as it came.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::NodeError;

/// Any JSON value, kept as text: nothing is parsed until [`Json::parse`], and handing it on keeps it byte for byte.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The value written as JSON.
    ///
    /// # Errors
    ///
    /// With code `invalid_output` when it cannot be.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, NodeError> {
        let text = serde_json::to_string(value).map_err(|error| NodeError::new("invalid_output", error.to_string()))?;
        Self::from_text(text)
    }

    /// JSON text, which is checked.
    ///
    /// # Errors
    ///
    /// With code `invalid_json` when it is none.
    pub fn from_text(text: String) -> Result<Self, NodeError> {
        RawValue::from_string(text).map(Self).map_err(|error| NodeError::new("invalid_json", error.to_string()))
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads it as a type.
    ///
    /// # Errors
    ///
    /// With code `invalid_config` when it does not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        serde_json::from_str(self.0.get()).map_err(|error| NodeError::new("invalid_config", error.to_string()))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Default for Json {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

/// The default of a field that is what came over the edge: `#[serde(default = "windflow_sdk::input")]`.
///
/// It is the expression `${{ input }}`, which the engine evaluates before it calls the node.
#[must_use]
pub fn input() -> Json {
    RawValue::from_string(String::from("\"${{ input }}\"")).map(Json).unwrap_or_default()
}
