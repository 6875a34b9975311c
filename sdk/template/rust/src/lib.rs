//! `starter-name`: greets somebody.

use windflow_sdk::{Json, NodeError, config, node, output};

/// Who is greeted, and how often.
#[config]
pub struct Config {
    /// Who is greeted; what came in, unless the workflow says something else.
    #[serde(default = "windflow_sdk::input")]
    name: Json,
    /// How often, from 1 to 5.
    #[serde(default = "once")]
    times: u8,
}

fn once() -> u8 {
    1
}

/// What is said.
#[output]
pub struct Output {
    /// The greeting.
    text: String,
}

/// Greets somebody.
#[node(name = "starter-name")]
pub fn starter_name(config: Config) -> Result<Output, NodeError> {
    let name: String = config.name.parse()?;
    if name.trim().is_empty() {
        return Err(NodeError::new("no_name", "`name` is empty: write who is greeted"));
    }
    if !(1..=5).contains(&config.times) {
        return Err(NodeError::new("invalid_config", "`times` is from 1 to 5"));
    }
    let greetings = vec![format!("Hello {name}!"); config.times.into()];
    Ok(Output { text: greetings.join(" ") })
}

windflow_sdk::plugin!(starter_name);
