//! `deployment-status`: how the containers of a stack are.

use windflow_sdk::serde_json::json;
use windflow_sdk::{Emission, NodeError, config, docker, node, output};

/// Which stack.
#[config]
pub struct Config {
    /// Name of the target, which the workflow grants under `permissions: docker:`.
    target: String,
    /// Name of the stack.
    stack: String,
}

/// How a stack is.
#[output]
#[derive(windflow_sdk::serde::Deserialize)]
pub struct Output {
    /// Whether everything runs and no check fails.
    healthy: bool,
    /// Its containers.
    containers: Vec<Container>,
}

/// How a container is.
#[output]
#[derive(windflow_sdk::serde::Deserialize)]
pub(crate) struct Container {
    /// Its service.
    service: String,
    /// Its name.
    name: String,
    /// `running`, `exited`, `restarting`, …
    state: String,
    /// `starting`, `healthy` or `unhealthy`, where it has checks.
    #[serde(default)]
    health: Option<String>,
    /// Its image.
    image: String,
}

/// Tells how a stack is.
#[node(name = "deployment-status")]
pub fn deployment_status(config: Config) -> Result<Emission<Output>, NodeError> {
    let output: Output = docker::perform(&config.target, &json!({ "do": "status", "stack": config.stack }))?;
    Ok(Emission::new(if output.healthy { "healthy" } else { "unhealthy" }, output))
}

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing::{self, docker};

    use super::deployment_status;

    #[test]
    fn the_port_is_how_it_is() {
        for (healthy, port) in [(true, "healthy"), (false, "unhealthy")] {
            docker::set_target(move |_, _| Ok(json!({ "healthy": healthy, "containers": [] })));
            let emitted = testing::run(deployment_status::NODE, json!({ "target": "edge", "stack": "shop" })).unwrap();
            assert_eq!(emitted.port, port);
        }
    }
}
