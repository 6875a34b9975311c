//! `http`: sends a request and gives on the answer.

mod answer;
mod config;
mod redirect;
mod request;

use windflow_sdk::{NodeError, node};

pub use crate::answer::Output;
pub use crate::config::{As, Auth, Basic, Config};

/// Sends a request and gives on the answer.
#[node]
pub fn http(config: Config) -> Result<Output, NodeError> {
    let request = request::build(&config)?;
    let (request, response) = redirect::send_following(request, config.follow_redirects)?;
    answer::read(&config, &request, response)
}

windflow_sdk::plugin!(http);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests;
