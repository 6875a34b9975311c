//! `script`: JavaScript of the workflow's author, in the same sandbox as every other node.

#[cfg(target_arch = "wasm32")]
mod chance;
#[cfg(target_arch = "wasm32")]
mod console;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(any(test, target_arch = "wasm32"))]
mod failure;

use windflow_sdk::{Json, NodeError, config, node};

/// The code and what it works on.
#[config]
pub struct Config {
    /// A function's body that ends with `return`, or one expression. It knows `input`, `values` and `console`.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(extend("contentMediaType" = "text/javascript")))]
    code: String,
    /// What the code knows as `input`; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
    /// More values by name, which the code knows as `values`.
    #[serde(default = "nothing")]
    values: Json,
}

fn nothing() -> Json {
    Json::from_text("{}".to_owned()).unwrap_or_default()
}

/// Runs the code and gives what it returns.
#[node]
pub fn script(config: Config) -> Result<Json, NodeError> {
    run(&config.code, config.input.as_str(), config.values.as_str()).and_then(Json::from_text)
}

#[cfg(target_arch = "wasm32")]
fn run(code: &str, input: &str, values: &str) -> Result<String, NodeError> {
    let mut engine = engine::Engine::prepared()?;
    let output = engine.run(code, input, values);
    // The sandbox ends with the call: what is in it need not be taken apart.
    std::mem::forget(engine);
    output
}

#[cfg(not(target_arch = "wasm32"))]
fn run(_code: &str, _input: &str, _values: &str) -> Result<String, NodeError> {
    Err(NodeError::new(
        "script_engine",
        "the engine of JavaScript is built for the sandbox only; run the packed plugin",
    ))
}

windflow_sdk::plugin!(script);
