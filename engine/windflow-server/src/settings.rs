//! What an operator may set.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::cors::Origin;

/// In seconds.
const DAY: u64 = 24 * 3600;

/// Settings of the server. The defaults are meant for everybody.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Under which address people reach it, where that is another one: `https://flows.example.org`.
    pub public_url: Option<String>,
    /// Largest body of a request.
    pub max_body_bytes: usize,
    /// Connections at the same time; more wait to be accepted.
    pub max_connections: usize,
    /// Live streams at the same time; more are refused.
    pub max_streams: usize,
    /// The longest that answering a request may take, live streams and awaited replies apart.
    pub request_timeout: Duration,
    /// The longest that a webhook with `reply: result` keeps its caller waiting.
    pub reply_timeout: Duration,
    /// How long a stop waits for requests and runs; what has not ended by then goes on after the next start.
    pub shutdown_timeout: Duration,
    /// How long runs that have ended are kept; zero: for ever.
    pub keep_runs: Duration,
    /// How long the audit trail is kept; zero: for ever.
    pub keep_audit: Duration,
    /// Pages of which other addresses may ask the API from a browser.
    pub allow_origins: Vec<Origin>,
    /// Requests to the API that one caller may send in a minute; zero: as many as they like.
    pub rate_limit: u32,
    /// Proxies that are believed for whom they speak (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `/metrics` needs no sign-in.
    pub public_metrics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            public_url: None,
            max_body_bytes: 2 << 20,
            max_connections: 16_384,
            max_streams: 10_000,
            request_timeout: Duration::from_secs(30),
            reply_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
            keep_runs: Duration::from_secs(90 * DAY),
            keep_audit: Duration::from_secs(365 * DAY),
            allow_origins: Vec::new(),
            rate_limit: 12_000,
            trusted_proxies: Vec::new(),
            public_metrics: false,
        }
    }
}
