//! `http`: sends a request and hands the answer on.

use windflow_sdk::http as client;
use windflow_sdk::{NodeError, node};

pub use config::{Auth, Config, Form, Scalar};
pub use response::Output;

mod config;
mod redirect;
mod request;
mod response;

/// Sends the request, follows its redirects, and hands the answer on.
#[node]
pub fn http(config: Config) -> Result<Output, NodeError> {
    let mut request = request::build(&config)?;
    let mut left = config.follow_redirects;
    loop {
        let answer = client::send(&request, config.max_bytes).map_err(|error| response::no_answer(error, &request.url))?;
        match redirect::next(&request, &answer) {
            Some(_) if left == 0 && config.follow_redirects > 0 => {
                let message = [&config.url, " redirects more than ", &config.follow_redirects.to_string(), " times"].concat();
                return Err(NodeError::new("too_many_redirects", message));
            }
            Some(next) if left > 0 => {
                left -= 1;
                request = next;
            }
            _ if response::fits(answer.status, &config.fail_on)? => return Err(response::failed_status(&answer, &request.url)),
            _ => return response::output(answer, request.url, config.response),
        }
    }
}

windflow_sdk::plugin!(http);

#[cfg(test)]
mod tests;
