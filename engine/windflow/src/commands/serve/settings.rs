//! Settings of the server: the command line and the environment first, then the file, then the defaults.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use windflow_core::capability::{Capability, HttpPattern};
use windflow_server::{Origin, Settings};

use super::backups::Schedule;
use super::traces::{self, InFile, TraceSettings};
use crate::cli::{Collector, Global, ServeArgs, Share};
use crate::commands::document;
use crate::exit::invalid;

const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// More often than that, backups would do nothing else.
const SHORTEST: Duration = Duration::from_secs(1);

/// What a file may say. A word that is none is refused: it would silently do nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    public_url: Option<String>,
    #[serde(default)]
    allow_hosts: Vec<HttpPattern>,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    allow_origins: Vec<Origin>,
    rate_limit: Option<u32>,
    #[serde(default)]
    trusted_proxies: Vec<IpNet>,
    max_body_bytes: Option<usize>,
    max_connections: Option<usize>,
    max_streams: Option<usize>,
    #[serde(default, deserialize_with = "duration")]
    request_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    reply_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    shutdown_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    keep_runs: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    keep_audit: Option<Duration>,
    max_runs: Option<usize>,
    backup_dir: Option<PathBuf>,
    #[serde(default, deserialize_with = "duration")]
    backup_every: Option<Duration>,
    keep_backups: Option<usize>,
    public_metrics: Option<bool>,
    secrets_key_file: Option<PathBuf>,
    traces_endpoint: Option<Collector>,
    #[serde(default)]
    traces_headers: Vec<String>,
    traces_service: Option<String>,
    traces_share: Option<Share>,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(de::Error::custom)
}

/// All that was said, brought together.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    pub(crate) data_dir: PathBuf,
    pub(crate) cache_dir: PathBuf,
    pub(crate) allow_hosts: Vec<HttpPattern>,
    pub(crate) denied: BTreeSet<Capability>,
    pub(crate) secrets_key_file: Option<PathBuf>,
    pub(crate) max_runs: Option<usize>,
    pub(crate) backups: Option<Schedule>,
    pub(crate) traces: Option<TraceSettings>,
}

pub(crate) fn resolve(global: &Global, args: &ServeArgs) -> anyhow::Result<Resolved> {
    let file = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
    let data_dir = match (&global.data_dir, file.data_dir) {
        (None, Some(folder)) => folder,
        _ => crate::engine::data_dir(global)?,
    };
    let cache_dir = match (&global.cache_dir, file.cache_dir) {
        (None, Some(folder)) => folder,
        _ => crate::engine::cache_dir(global, &data_dir),
    };
    let mut settings = Settings::default();
    fn set<T>(place: &mut T, first: Option<T>, second: Option<T>) {
        if let Some(value) = first.or(second) {
            *place = value;
        }
    }
    set(&mut settings.listen, args.listen, file.listen);
    settings.public_url = args.public_url.clone().or(file.public_url).map(|url| public_url(&url)).transpose()?;
    set(&mut settings.max_body_bytes, args.max_body_bytes, file.max_body_bytes);
    set(&mut settings.max_connections, args.max_connections, file.max_connections);
    set(&mut settings.max_streams, args.max_streams, file.max_streams);
    set(&mut settings.request_timeout, args.request_timeout, file.request_timeout);
    set(&mut settings.reply_timeout, args.reply_timeout, file.reply_timeout);
    set(&mut settings.shutdown_timeout, args.shutdown_timeout, file.shutdown_timeout);
    set(&mut settings.keep_runs, args.keep_runs, file.keep_runs);
    set(&mut settings.keep_audit, args.keep_audit, file.keep_audit);
    settings.public_metrics = args.public_metrics || file.public_metrics.unwrap_or_default();
    fn list<T: Clone>(first: &[T], second: Vec<T>) -> Vec<T> {
        if first.is_empty() { second } else { first.to_vec() }
    }
    settings.allow_origins = list(&args.allow_origin, file.allow_origins);
    set(&mut settings.rate_limit, args.rate_limit, file.rate_limit);
    settings.trusted_proxies = list(&args.trusted_proxy, file.trusted_proxies);
    let allow_hosts = list(&args.allow_host, file.allow_hosts);
    let deny = file.deny.iter().map(|word| word.parse()).collect::<Result<Vec<Capability>, _>>();
    let deny = deny.map_err(|error| invalid(format!("{}: deny: {error}", shown(args))))?;
    let denied = list(&args.deny, deny).into_iter().collect();
    let secrets_key_file = args.secrets_key_file.clone().or(file.secrets_key_file);
    let max_runs = args.max_runs.or(file.max_runs);
    let backups = args.backup_dir.clone().or(file.backup_dir).map(|folder| Schedule {
        folder,
        every: args.backup_every.or(file.backup_every).unwrap_or(A_DAY).max(SHORTEST),
        keep: args.keep_backups.or(file.keep_backups).unwrap_or(7),
    });
    let traces = InFile {
        endpoint: file.traces_endpoint,
        headers: file.traces_headers,
        service: file.traces_service,
        share: file.traces_share,
    };
    let traces = traces::resolve(args, traces, |name| std::env::var(name).ok())?;
    Ok(Resolved { settings, data_dir, cache_dir, allow_hosts, denied, secrets_key_file, max_runs, backups, traces })
}

fn shown(args: &ServeArgs) -> String {
    args.config.as_deref().unwrap_or(Path::new("")).display().to_string()
}

/// Links, cookies and hooks are made of it: anything else than an origin would make them lead nowhere.
fn public_url(url: &str) -> anyhow::Result<String> {
    let origin = url.trim_end_matches('/').to_ascii_lowercase();
    match origin.parse::<Origin>() {
        Ok(_) => Ok(origin),
        Err(_) => Err(invalid(format!(
            "public_url: `{url}` is no address that people could open\n  = write scheme, host and port, where it is another than usual, as in https://flows.example.org"
        ))),
    }
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = document::read(path)?;
    toml::from_str(&text).map_err(|error| invalid(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn resolved(arguments: &[&str], file: &str) -> anyhow::Result<Resolved> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("windflow.toml");
        std::fs::write(&path, file).unwrap();
        let all = [&["windflow", "serve", "--config", path.to_str().unwrap()], arguments].concat();
        let mut cli = crate::cli::Cli::parse_from(all);
        // The environment of whoever runs the tests may name some.
        if !arguments.contains(&"--data-dir") {
            cli.global.data_dir = None;
        }
        if !arguments.contains(&"--cache-dir") {
            cli.global.cache_dir = None;
        }
        let crate::cli::Command::Serve(args) = cli.command else { panic!("another command") };
        resolve(&cli.global, &args)
    }

    #[test]
    fn the_command_line_goes_before_the_file_and_the_file_before_the_defaults() {
        let file = "listen = \"127.0.0.1:1000\"\nrequest_timeout = \"5s\"\ndata_dir = \"/data\"\nallow_hosts = [\"10.0.0.0/8\"]\n";
        let found = resolved(&["--listen", "127.0.0.1:2000"], file).unwrap();
        assert_eq!(found.settings.listen.port(), 2000);
        assert_eq!(found.settings.request_timeout, Duration::from_secs(5));
        assert_eq!(found.settings.max_streams, Settings::default().max_streams);
        assert_eq!((found.data_dir, found.allow_hosts.len()), (PathBuf::from("/data"), 1));
        assert_eq!(found.cache_dir, PathBuf::from("/data/compiled"));
        let elsewhere = format!("cache_dir = \"/cache\"\n{file}");
        assert_eq!(resolved(&[], &elsewhere).unwrap().cache_dir, PathBuf::from("/cache"));
        assert_eq!(resolved(&["--cache-dir", "/own"], &elsewhere).unwrap().cache_dir, PathBuf::from("/own"));
        let browser =
            "allow_origins = [\"https://app.example.org\"]\nrate_limit = 60\ntrusted_proxies = [\"10.0.0.1/32\"]\n";
        let found =
            resolved(&["--rate-limit", "0", "--allow-origin", "http://localhost:5173,https://b.example"], browser);
        let found = found.unwrap().settings;
        let origins: Vec<String> = found.allow_origins.iter().map(ToString::to_string).collect();
        assert_eq!(origins, ["http://localhost:5173", "https://b.example"]);
        assert_eq!((found.rate_limit, found.trusted_proxies.len()), (0, 1));
        let found = resolved(&["--data-dir", "/other", "--public-metrics"], file).unwrap();
        assert_eq!((found.data_dir, found.settings.public_metrics), (PathBuf::from("/other"), true));
    }

    #[test]
    fn what_the_operator_denies_is_a_list_of_capabilities() {
        let denied = |given: &[&str], file: &str| resolved(given, file).unwrap().denied.into_iter().collect::<Vec<_>>();
        assert_eq!(denied(&[], ""), []);
        assert_eq!(denied(&[], "deny = [\"random\", \"clock\"]"), [Capability::Clock, Capability::Random]);
        assert_eq!(denied(&["--deny", "state,files"], "deny = [\"clock\"]"), [Capability::State, Capability::Files]);
    }

    #[test]
    fn the_public_address_is_one_that_can_be_opened() {
        let url = |given: &str| resolved(&["--public-url", given], "").map(|found| found.settings.public_url);
        assert_eq!(url("https://Flows.example.org/").unwrap().as_deref(), Some("https://flows.example.org"));
        assert_eq!(url("http://127.0.0.1:7878").unwrap().as_deref(), Some("http://127.0.0.1:7878"));
        for bad in ["foo", "flows.example.org", "ftp://flows.example.org", "https://flows.example.org/app", "https://"]
        {
            let error = url(bad).unwrap_err().to_string();
            assert!(error.contains(bad) && error.contains("https://flows.example.org"), "{error}");
        }
    }

    #[test]
    fn a_file_that_says_what_there_is_not_is_refused_with_its_place() {
        for (bad, expect) in [
            ("lisen = \"x\"", "lisen"),
            ("deny = [\"clocks\"]", "`clocks` is no capability"),
            ("request_timeout = \"soon\"", "request_timeout"),
            ("listen = 3", "listen"),
            ("allow_origins = [\"*\"]", "no origin"),
            ("traces_endpoint = \"localhost:4318\"", "http://127.0.0.1:4318"),
            ("traces_share = 2.0", "0 to 1"),
        ] {
            let error = resolved(&[], bad).unwrap_err().to_string();
            assert!(error.contains(expect) && error.contains("windflow.toml"), "{error}");
        }
    }
}
