//! `github`: issues, releases, workflows and statuses of a repository.

mod action;

use windflow_sdk::http::{Request, Url, ask};
use windflow_sdk::serde_json::Value;
use windflow_sdk::{NodeError, Retry, config, node};

pub use crate::action::Action;

/// A page of a hundred long issues.
const ANSWER_BYTES: usize = 16 << 20;

/// What is done, and where.
#[config]
pub struct Config {
    /// An access token (bind: bearer, hosts: [api.github.com]).
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
    /// The repository, as owner/name.
    repository: String,
    /// What is done or read.
    action: Action,
    /// The address of the API; of GitHub Enterprise, https://SERVER/api/v3.
    #[serde(default = "server")]
    server: String,
}

fn server() -> String {
    "https://api.github.com".to_owned()
}

pub(crate) fn wrong(message: impl Into<String>) -> NodeError {
    NodeError::new("invalid_config", message)
}

/// Does it.
#[node]
pub fn github(config: Config) -> Result<Value, NodeError> {
    let valid = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match config.repository.split_once('/') {
        Some((owner, name)) if valid(owner) && valid(name) => {}
        _ => return Err(wrong(format!("`repository`: `{}` is none; write owner/name", config.repository))),
    }
    let call = config.action.call()?;
    let base = config.server.trim_end_matches('/');
    let mut url = Url::parse(&format!("{base}/repos/{}/{}", config.repository, call.path))
        .map_err(|problem| wrong(format!("`server`: {problem}")))?;
    for (name, value) in &call.query {
        url.push_query(name, value);
    }
    let request = match &call.body {
        Some(body) => Request::json(call.method, url, body)?,
        None => Request::new(call.method, url),
    };
    let request = request
        .with_header("Accept", "application/vnd.github+json")
        .with_header("X-GitHub-Api-Version", "2022-11-28")
        .with_header("User-Agent", "windflow");
    let reply = ask(&request, ANSWER_BYTES).map_err(limited)?;
    let answer: Value = if reply.body.is_empty() { Value::Null } else { reply.json()? };
    Ok(config.action.tidy(answer))
}

/// GitHub says 403 where too much was asked.
fn limited(error: NodeError) -> NodeError {
    let rate = error.message.contains("rate limit") && error.retry == Retry::Never;
    if rate { error.with_retry(Retry::After(60_000)) } else { error }
}

windflow_sdk::plugin!(github);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests;
