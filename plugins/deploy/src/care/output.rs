//! What came of it.

use windflow_sdk::output;
use windflow_sdk::serde::Deserialize;
use windflow_sdk::serde_json::Value;

/// What came of it.
#[output]
#[derive(Deserialize)]
pub struct Output {
    /// What was done with what, a line each; of `logs` the lines.
    #[serde(default)]
    lines: Vec<String>,
    /// The exit status of `run` and `exec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i64>,
    /// The end of all that was written, of `run` and `exec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// The end of what was written to stdout alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    /// Whether something before that was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<bool>,
    /// What the image is like, of `build`, `pull`, `tag` and `inspect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ImageFacts"))]
    image: Option<Value>,
    /// The image's digest in the registry, of `push`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What the containers are like, of `inspect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "Vec<ContainerFacts>"))]
    containers: Option<Vec<Value>>,
    /// Bytes that are free now, of `prune`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freed: Option<u64>,
}

/// What an image is like.
#[cfg(not(target_arch = "wasm32"))]
#[output]
#[allow(dead_code, reason = "the schema is made from it")]
struct ImageFacts {
    /// The digest of its configuration: the very same image always has the same.
    id: String,
    /// Its names on the target.
    tags: Vec<String>,
    /// Its names by digest, in registries.
    digests: Vec<String>,
    /// Bytes.
    size: u64,
    /// When it was made.
    created: String,
    /// Operating system and architecture.
    platform: String,
}

/// What a container is like.
#[cfg(not(target_arch = "wasm32"))]
#[output]
#[allow(dead_code, reason = "the schema is made from it")]
struct ContainerFacts {
    /// Its name.
    name: String,
    /// Its service.
    service: String,
    /// Which of several, from 1.
    number: u32,
    /// `running`, `exited`, `restarting`, …
    state: String,
    /// `starting`, `healthy` or `unhealthy`, where it has checks.
    health: Option<String>,
    /// Its exit status, once it has ended.
    exit_code: Option<i64>,
    /// How often it was started again.
    restarts: i64,
    /// When it was started last.
    started: String,
    /// The image that it was made from.
    image: String,
    /// The digest of that image.
    image_id: String,
    /// Ports that can be reached from outside, as `0.0.0.0:8080->80/tcp`.
    ports: Vec<String>,
}
