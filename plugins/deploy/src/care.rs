//! `docker`: looks after what is deployed.

use std::collections::BTreeMap;

use windflow_sdk::serde_json::json;
use windflow_sdk::{NodeError, config, docker as target, node, output};

/// What is done with which stack.
#[config]
pub struct Config {
    /// Name of the target, which the workflow grants under `permissions: docker:`.
    target: String,
    /// Name of the stack.
    stack: String,
    /// What is done.
    action: Action,
    /// With these services; with all where none is named.
    #[serde(default)]
    services: Vec<String>,
    /// How many containers, by service, for `scale`.
    #[serde(default)]
    replicas: BTreeMap<String, u32>,
    /// The last so many lines of each container, for `logs`.
    #[serde(default = "usual_lines")]
    tail: u32,
}

fn usual_lines() -> u32 {
    100
}

/// What can be done.
#[config]
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Start containers that were stopped.
    Start,
    /// Stop containers; they stay.
    Stop,
    /// Stop and start containers.
    Restart,
    /// Another number of containers.
    Scale,
    /// Read what containers write.
    Logs,
}

/// What was done.
#[output]
#[derive(windflow_sdk::serde::Deserialize)]
pub struct Output {
    /// What was done with what, a line each; of `logs` the lines.
    lines: Vec<String>,
}

/// Does something with a stack on a target.
#[node]
pub fn docker(config: Config) -> Result<Output, NodeError> {
    let Config { target, stack, action, services, replicas, tail } = config;
    let request = match action {
        Action::Scale if replicas.is_empty() => {
            return Err(NodeError::new("invalid_config", "`scale` needs `replicas`, a number by service"));
        }
        Action::Scale => json!({ "do": "scale", "stack": stack, "replicas": replicas }),
        Action::Logs => json!({ "do": "logs", "stack": stack, "services": services, "tail": tail }),
        Action::Start => json!({ "do": "start", "stack": stack, "services": services }),
        Action::Stop => json!({ "do": "stop", "stack": stack, "services": services }),
        Action::Restart => json!({ "do": "restart", "stack": stack, "services": services }),
    };
    target::perform(&target, &request)
}

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::docker;

    #[test]
    fn what_is_asked_follows_from_the_action() {
        testing::docker::set_target(|_, request| Ok(json!({ "lines": [request["do"], request["stack"]] })));
        for action in ["start", "stop", "restart", "logs", "scale"] {
            let config = json!({ "target": "edge", "stack": "shop", "action": action, "replicas": { "web": 2 } });
            assert_eq!(testing::run(docker::NODE, config).unwrap().value, json!({ "lines": [action, "shop"] }));
        }
        let config = json!({ "target": "edge", "stack": "shop", "action": "scale" });
        assert_eq!(testing::run(docker::NODE, config).unwrap_err().code, "invalid_config");
    }
}
