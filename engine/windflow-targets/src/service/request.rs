//! What can be asked of a target, as JSON: `{ "do": "deploy", … }`. docs/deploy.md tells it to authors of plugins.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Request {
    Deploy(Box<Deploy>),
    /// A deployment that was begun.
    Carry {
        deployment: String,
    },
    Scale {
        stack: String,
        replicas: BTreeMap<String, u32>,
    },
    Status {
        stack: String,
    },
    Start {
        stack: String,
        #[serde(default)]
        services: Vec<String>,
    },
    Stop {
        stack: String,
        #[serde(default)]
        services: Vec<String>,
    },
    Restart {
        stack: String,
        #[serde(default)]
        services: Vec<String>,
    },
    Logs {
        stack: String,
        #[serde(default)]
        services: Vec<String>,
        #[serde(default = "usual_lines")]
        tail: u32,
    },
}

fn usual_lines() -> u32 {
    100
}

/// A stack to deploy: a kept one, or a document.
#[derive(Debug, Deserialize)]
pub(super) struct Deploy {
    pub(super) stack: Option<String>,
    pub(super) version: Option<u32>,
    pub(super) compose: Option<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    #[serde(default)]
    pub(super) confirm: Vec<String>,
    pub(super) seconds: Option<u32>,
}
