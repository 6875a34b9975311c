//! `transform`: reshapes data.

mod fields;
mod jq;
mod path;
mod value;

use windflow_sdk::{Fields, Json, NodeError, config, node};

/// What is reshaped, and how: exactly one of `jq`, `set`, `pick`, `rename` and `remove`.
#[config]
pub struct Config {
    /// What is reshaped; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
    /// A filter in the language jq, which gives one value.
    #[serde(default)]
    jq: Option<String>,
    /// Values by the path of the field that they are put into, such as `customer.name`.
    #[serde(default)]
    set: Option<Fields<Json>>,
    /// Paths of the fields that are kept, such as `customer.name`. What does not exist is left out.
    #[serde(default)]
    pick: Option<Vec<String>>,
    /// New paths by old paths. What does not exist is left out.
    #[serde(default)]
    rename: Option<Fields<String>>,
    /// Paths of the fields that are removed.
    #[serde(default)]
    remove: Option<Vec<String>>,
}

/// Gives on what became of the input.
#[node]
pub fn transform(config: Config) -> Result<Json, NodeError> {
    let Config { input, jq, set, pick, rename, remove } = config;
    let input = value::read(&input)?;
    let output = match (jq, set, pick, rename, remove) {
        (Some(filter), None, None, None, None) => jq::run(&filter, input)?,
        (None, Some(values), None, None, None) => fields::set(input, &values)?,
        (None, None, Some(paths), None, None) => fields::pick(&input, &paths)?,
        (None, None, None, Some(names), None) => fields::rename(input, &names)?,
        (None, None, None, None, Some(paths)) => fields::remove(input, &paths)?,
        _ => {
            return Err(NodeError::new(
                "invalid_config",
                "write exactly one of `jq`, `set`, `pick`, `rename` and `remove`; for several use one node after another",
            ));
        }
    };
    value::write(&output)
}

windflow_sdk::plugin!(transform);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests;
