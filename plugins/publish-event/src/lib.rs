//! `publish-event`: tells what listens that something has happened.

use windflow_sdk::{Json, NodeError, config, events, node, output, serde};

/// What has happened.
#[config]
pub struct Config {
    /// What has happened: words with dots between them, as in order.placed.
    name: String,
    /// What goes with it, `trigger.data` for those who listen; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    data: Json,
}

/// What the event has started.
#[output]
#[derive(serde::Deserialize)]
pub struct Output {
    /// Each trigger that listens, and whose filter it passed.
    started: Vec<Started>,
}

/// A trigger that the event has fired.
#[output]
#[derive(serde::Deserialize)]
pub struct Started {
    /// The workflow.
    workflow: String,
    /// Its trigger.
    trigger: String,
    /// The run; null where it could not be started.
    run: Option<String>,
    /// Why not.
    error: Option<String>,
}

/// Publishes it.
#[node(name = "publish-event")]
pub fn publish_event(config: Config) -> Result<Output, NodeError> {
    events::publish(&config.name, &config.data)
}

windflow_sdk::plugin!(publish_event);

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    #[test]
    fn what_came_in_goes_with_the_event() {
        let config = json!({ "name": "order.placed", "data": { "id": 7 } });
        let output = testing::run(publish_event::NODE, config).unwrap().value;
        assert_eq!(output, json!({ "started": [] }));
        assert_eq!(testing::events::published(), [("order.placed".to_owned(), json!({ "id": 7 }))]);
    }
}
