//! `deploy`: deploys a stack and judges how that ended.

use std::collections::BTreeMap;

use windflow_sdk::serde_json::json;
use windflow_sdk::{Emission, NodeError, config, docker, node, output};

/// What is deployed, and where to.
#[config]
pub struct Config {
    /// Name of the target, which the workflow grants under `permissions: docker:`.
    target: String,
    /// Name of a stack that is kept.
    #[serde(default)]
    stack: Option<String>,
    /// Number of its version; the latest where nothing is said.
    #[serde(default)]
    version: Option<u32>,
    /// A Compose document, instead of a stack that is kept.
    #[serde(default)]
    compose: Option<String>,
    /// Values of variables.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Profiles that are switched on.
    #[serde(default)]
    profiles: Vec<String>,
    /// Risks that are confirmed by name, such as `web:host_network`.
    #[serde(default)]
    confirm: Vec<String>,
    /// Seconds until the services have to be up; 300 where nothing is said.
    #[serde(default)]
    seconds: Option<u32>,
    /// A deployment that was begun by the server, instead of everything else.
    #[serde(default)]
    deployment: Option<String>,
}

/// How a deployment ended.
#[output]
#[derive(windflow_sdk::serde::Deserialize)]
pub struct Output {
    /// Id of the deployment.
    deployment: String,
    /// Name of the stack.
    stack: String,
    /// Name of the target.
    target: String,
    /// `deployed`, `unchanged` or `rolled_back`.
    verdict: String,
    /// What changed, in words.
    #[serde(default)]
    changes: String,
    /// Why it did not end well.
    #[serde(default)]
    error: Option<Why>,
    /// The last lines of the container that failed.
    #[serde(default)]
    log: Vec<String>,
    /// What is left of it on the target.
    #[serde(default)]
    left: Vec<String>,
}

/// Why something went wrong.
#[output]
#[derive(windflow_sdk::serde::Deserialize)]
pub(crate) struct Why {
    /// Stable, such as `unhealthy`.
    code: String,
    /// What is wrong.
    message: String,
    /// How to mend it.
    #[serde(default)]
    remedy: Option<String>,
}

/// Deploys a stack and judges how that ended.
#[node]
pub fn deploy(config: Config) -> Result<Emission<Output>, NodeError> {
    let request = match &config.deployment {
        Some(deployment) => json!({ "do": "carry", "deployment": deployment }),
        None => {
            if config.stack.is_some() == config.compose.is_some() {
                return Err(NodeError::new(
                    "invalid_config",
                    "name either a kept `stack` or a document under `compose`",
                ));
            }
            json!({
                "do": "deploy",
                "stack": config.stack,
                "version": config.version,
                "compose": config.compose,
                "variables": config.variables,
                "profiles": config.profiles,
                "confirm": config.confirm,
                "seconds": config.seconds,
            })
        }
    };
    let output: Output = docker::perform(&config.target, &request)?;
    match output.verdict.as_str() {
        "deployed" | "unchanged" => Ok(Emission::new("deployed", output)),
        "rolled_back" => Ok(Emission::new("rolled_back", output)),
        _ => Err(failed(output)),
    }
}

/// Nothing was there to go back to.
fn failed(output: Output) -> NodeError {
    let why = output.error.as_ref();
    let code = why.map_or("deployment_failed", |why| why.code.as_str()).to_owned();
    let message = why.map_or("the deployment failed", |why| why.message.as_str());
    NodeError::new(code, format!("{} on {}: {message}", output.stack, output.target)).with_details(&output)
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing::{self, docker};

    use super::deploy;

    fn run(config: Value, verdict: &'static str) -> Result<testing::Emitted, windflow_sdk::NodeError> {
        docker::set_target(move |target, request| {
            let error = json!({ "code": "unhealthy", "message": "web is unhealthy" });
            let error = if verdict == "deployed" { Value::Null } else { error };
            Ok(
                json!({ "deployment": "1", "stack": request["stack"], "target": target, "verdict": verdict, "error": error }),
            )
        });
        testing::run(deploy::NODE, config)
    }

    #[test]
    fn the_port_is_the_verdict() {
        let config = json!({ "target": "edge", "stack": "shop" });
        let emitted = run(config.clone(), "deployed").unwrap();
        assert_eq!((emitted.port.as_str(), &emitted.value["target"]), ("deployed", &json!("edge")));
        let emitted = run(config.clone(), "rolled_back").unwrap();
        assert_eq!((emitted.port.as_str(), &emitted.value["error"]["code"]), ("rolled_back", &json!("unhealthy")));
        let error = run(config, "failed").unwrap_err();
        assert_eq!((error.code.as_ref(), error.message.as_str()), ("unhealthy", "shop on edge: web is unhealthy"));
    }

    #[test]
    fn a_stack_or_a_document_is_named() {
        for config in [json!({ "target": "edge" }), json!({ "target": "edge", "stack": "a", "compose": "b" })] {
            assert_eq!(run(config, "deployed").unwrap_err().code, "invalid_config");
        }
    }
}
