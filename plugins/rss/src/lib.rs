//! `rss`: fetches a feed and gives its entries.

mod feed;

use jiff::Timestamp;
use windflow_sdk::http::{Request, Url, send};
use windflow_sdk::{NodeError, config, node, output};

/// Feeds are read whole.
const FEED_BYTES: usize = 8 << 20;

/// Feeds move, a few times at most.
const REDIRECTS: usize = 5;

/// Which feed, and how much of it.
#[config]
pub struct Config {
    /// The feed's address.
    url: String,
    /// How many entries are given at most, the first of the feed.
    #[serde(default = "fifty")]
    limit: u32,
    /// Only entries that were published after this time (RFC 3339). Those without a date are kept.
    #[serde(default)]
    since: Option<String>,
    /// For a protected feed.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
}

fn fifty() -> u32 {
    50
}

/// A feed.
#[output]
#[derive(Default)]
pub struct Output {
    /// The feed's title.
    title: String,
    /// The site that it is of.
    link: Option<String>,
    /// Its entries, in the feed's order.
    entries: Vec<Entry>,
}

/// An entry of a feed.
#[output]
#[derive(Default)]
pub struct Entry {
    /// The feed's own id of it, else the link.
    id: String,
    /// Its title.
    title: String,
    /// Where it can be read.
    link: Option<String>,
    /// When it was published, RFC 3339 in UTC.
    published: Option<String>,
    /// Who wrote it.
    author: Option<String>,
    /// What it is about; often HTML.
    summary: Option<String>,
    /// Its categories.
    categories: Vec<String>,
}

/// Fetches and reads the feed.
#[node]
pub fn rss(config: Config) -> Result<Output, NodeError> {
    let wrong = |field: &str, problem: String| NodeError::new("invalid_config", format!("`{field}`: {problem}"));
    let url = Url::parse(&config.url).map_err(|problem| wrong("url", problem))?;
    let since = config.since.as_deref().filter(|since| !since.is_empty());
    let since = since.map(|since| {
        since
            .parse::<Timestamp>()
            .map_err(|_| wrong("since", format!("`{since}` is no time; write such as 2026-11-21T10:00:00Z")))
    });
    let since = since.transpose()?;
    let text = fetch(url)?;
    let mut feed = feed::read(&text).map_err(|problem| {
        NodeError::new(
            "invalid_feed",
            format!("{} gives no feed: {problem}", config.url.split('?').next().unwrap_or_default()),
        )
    })?;
    if let Some(since) = since {
        let is_new = |entry: &Entry| {
            entry
                .published
                .as_deref()
                .and_then(|at| at.parse::<Timestamp>().ok())
                .is_none_or(|published| published > since)
        };
        feed.entries.retain(is_new);
    }
    feed.entries.truncate(config.limit as usize);
    Ok(feed)
}

fn fetch(mut url: Url) -> Result<String, NodeError> {
    for _ in 0..=REDIRECTS {
        let request = Request::new("GET", url.clone())
            .with_header("Accept", "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5")
            .with_header("User-Agent", "windflow");
        let response = send(&request)?;
        let moved = matches!(response.status, 301 | 302 | 303 | 307 | 308);
        if let Some(location) = response.header("location").filter(|_| moved) {
            url = url
                .join(location)
                .map_err(|problem| NodeError::new("invalid_feed", format!("it redirects: {problem}")))?;
            continue;
        }
        if response.status != 200 {
            let retry = windflow_sdk::http::retry(response.status, &response.headers);
            let message = format!("{} answered with status {}", url.public(), response.status);
            return Err(NodeError::new("http_status", message).with_retry(retry));
        }
        let body = response.body.read(FEED_BYTES)?;
        return String::from_utf8(body).map_err(|_| NodeError::new("invalid_feed", "the feed is no text in UTF-8"));
    }
    Err(NodeError::new("invalid_feed", format!("more than {REDIRECTS} redirects")))
}

windflow_sdk::plugin!(rss);

#[cfg(test)]
mod tests;
