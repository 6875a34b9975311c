//! What `windflow serve` can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use windflow_core::capability::{Capability, HttpPattern};
use windflow_server::Origin;

use super::traces::{Collector, Share};

/// Every setting can be given here, in the environment, or in the file of `--config`, in this order of precedence.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The first start prints a token that makes the owner. Without a terminal at hand, name the owner in the environment: \
WINDFLOW_OWNER_EMAIL and WINDFLOW_OWNER_PASSWORD, which count while there is nobody.\n\n\
docs/quick-start.md leads from here to a workflow that runs by itself."
)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:7878]
    #[arg(long, value_name = "ADDRESS", env = "WINDFLOW_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// A file with settings, in TOML
    #[arg(long, value_name = "FILE", env = "WINDFLOW_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Under which address people reach the server, for example https://flows.example.org
    #[arg(long, value_name = "URL", env = "WINDFLOW_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Let workflows reach a host that is not public, where they grant it as well, for example 10.0.0.0/8
    #[arg(long, value_name = "HOST", env = "WINDFLOW_ALLOW_HOSTS", value_delimiter = ',')]
    pub(crate) allow_host: Vec<HttpPattern>,
    /// Give a capability to no workflow, whatever it grants, for example clock
    #[arg(long, value_name = "CAPABILITY", env = "WINDFLOW_DENY", value_delimiter = ',')]
    pub(crate) deny: Vec<Capability>,
    /// Let pages of another address ask the API from a browser, for example https://app.example.org
    #[arg(long, value_name = "ORIGIN", env = "WINDFLOW_ALLOW_ORIGINS", value_delimiter = ',')]
    pub(crate) allow_origin: Vec<Origin>,
    /// Requests to the API that one key, person or address may send in a minute; 0 for any number [default: 12000]
    #[arg(long, value_name = "NUMBER", env = "WINDFLOW_RATE_LIMIT")]
    pub(crate) rate_limit: Option<u32>,
    /// Believe a proxy for whom it speaks (X-Forwarded-For), for example 10.0.0.1/32
    #[arg(long, value_name = "NETWORK", env = "WINDFLOW_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// Largest body of a request, in bytes [default: 2097152]
    #[arg(long, value_name = "BYTES", env = "WINDFLOW_MAX_BODY_BYTES")]
    pub(crate) max_body_bytes: Option<usize>,
    /// Connections at the same time [default: 16384]
    #[arg(long, value_name = "NUMBER", env = "WINDFLOW_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<usize>,
    /// Live streams at the same time [default: 10000]
    #[arg(long, value_name = "NUMBER", env = "WINDFLOW_MAX_STREAMS")]
    pub(crate) max_streams: Option<usize>,
    /// The longest that answering a request may take [default: 30s]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_REQUEST_TIMEOUT", value_parser = humantime::parse_duration)]
    pub(crate) request_timeout: Option<Duration>,
    /// The longest that a webhook keeps its caller waiting for the result [default: 60s]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_REPLY_TIMEOUT", value_parser = humantime::parse_duration)]
    pub(crate) reply_timeout: Option<Duration>,
    /// How long a stop waits for requests and runs; what has not ended goes on after the next start [default: 10s]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_SHUTDOWN_TIMEOUT", value_parser = humantime::parse_duration)]
    pub(crate) shutdown_timeout: Option<Duration>,
    /// Runs that have not ended, at most; beyond, starts are refused [default: 100000]
    #[arg(long, value_name = "NUMBER", env = "WINDFLOW_MAX_RUNS")]
    pub(crate) max_runs: Option<usize>,
    /// How long runs that have ended are kept; 0s for ever [default: 90days]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_KEEP_RUNS", value_parser = humantime::parse_duration)]
    pub(crate) keep_runs: Option<Duration>,
    /// How long the audit trail is kept; 0s for ever [default: 365days]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_KEEP_AUDIT", value_parser = humantime::parse_duration)]
    pub(crate) keep_audit: Option<Duration>,
    /// Make backups by itself in this folder
    #[arg(long, value_name = "FOLDER", env = "WINDFLOW_BACKUP_DIR")]
    pub(crate) backup_dir: Option<PathBuf>,
    /// How often [default: 1day]
    #[arg(long, value_name = "TIME", env = "WINDFLOW_BACKUP_EVERY", value_parser = humantime::parse_duration)]
    pub(crate) backup_every: Option<Duration>,
    /// How many of them are kept; 0 keeps all [default: 7]
    #[arg(long, value_name = "NUMBER", env = "WINDFLOW_KEEP_BACKUPS")]
    pub(crate) keep_backups: Option<usize>,
    /// Show /metrics without sign-in
    #[arg(long, env = "WINDFLOW_PUBLIC_METRICS")]
    pub(crate) public_metrics: bool,
    /// Tell what runs did, as traces, to the collector at this address, by OTLP over HTTP, for example http://127.0.0.1:4318
    #[arg(long, value_name = "URL", env = "WINDFLOW_TRACES_ENDPOINT")]
    pub(crate) traces_endpoint: Option<Collector>,
    /// Send a header to that collector, NAME=VALUE
    #[arg(
        long = "traces-header",
        value_name = "HEADER",
        env = "WINDFLOW_TRACES_HEADERS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) traces_headers: Vec<String>,
    /// What this server is called in traces [default: windflow]
    #[arg(long, value_name = "NAME", env = "WINDFLOW_TRACES_SERVICE")]
    pub(crate) traces_service: Option<String>,
    /// Of how many runs, from 0 to 1, where their trace begins here [default: 1]
    #[arg(long, value_name = "SHARE", env = "WINDFLOW_TRACES_SHARE")]
    pub(crate) traces_share: Option<Share>,
    /// A file with the key that encrypts secrets, 64 hexadecimal digits [default: secrets.key in the data folder, made at the
    /// first start]
    #[arg(long, value_name = "FILE", env = "WINDFLOW_SECRETS_KEY_FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
    /// How the log is written
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "WINDFLOW_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}
