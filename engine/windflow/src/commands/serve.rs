//! `windflow serve`

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use console::style;
use tokio::runtime::Builder;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Records;
use windflow_core::ports::traces::Traces;
use windflow_host::{GuardedFetch, HostConfig, PublicHosts, SystemResolver, TlsRoots};
use windflow_runtime::{Clock, Config, RecordState, Runtime, SystemClock};
use windflow_server::{CredentialStore, NewUser, Ports, Role, Server, UserError, add_user, list_users};
use windflow_store::{Options, SledStore};

use self::settings::Resolved;
use self::traces::Otlp;
use crate::cli::{Global, ServeArgs};
use crate::exit::{self, invalid};
use crate::installed::ServedPlugins;
use crate::render;
use crate::signal::interrupted;

#[cfg(target_os = "linux")]
mod at_rest;
mod backups;
pub(crate) mod secrets_key;
mod settings;
mod traces;

pub(crate) fn run(global: &Global, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let Resolved { settings, data_dir, cache_dir, allow_hosts, denied, secrets_key_file, max_runs, backups, traces } =
        settings::resolve(global, args)?;
    std::fs::create_dir_all(&data_dir).with_context(|| format!("the data folder {}", data_dir.display()))?;
    let store = Arc::new(SledStore::open(data_dir.join("store"), Options::default())?);
    let secrets_keys = secrets_key::read_or_make(&*store, &data_dir, secrets_key_file.as_deref())?;
    if !secrets_keys.former().is_empty() {
        tracing::warn!(
            "not everything may be encrypted with the present key: `windflow secrets rotate-key` goes on with it, while no server runs"
        );
    }
    crate::backup::remove_leftovers(&data_dir).with_context(|| format!("the data folder {}", data_dir.display()))?;
    if let Some(schedule) = backups {
        backups::start(schedule, &store, *secrets_keys.current())?;
    }
    crate::control::serve(&data_dir, &store, *secrets_keys.current());
    if global.credentials.is_some() {
        return Err(invalid(
            "the server keeps credentials itself: leave --credentials away, and set them with PUT /api/v1/credentials/NAME",
        ));
    }
    let credentials = CredentialStore::new(store.clone(), &secrets_keys)?;
    let policy = Arc::new(PublicHosts { also: allow_hosts });
    let fetch = Arc::new(GuardedFetch::new(policy.clone(), Arc::new(SystemResolver), TlsRoots::default()));
    let config = HostConfig {
        cache_dir: Some(cache_dir),
        http_policy: policy,
        denied,
        credentials: Arc::new(credentials.clone()),
        ..HostConfig::default()
    };
    let host = Arc::new(crate::engine::host_of(config, Some(&data_dir))?);

    host.set_targets(Arc::new(crate::deploying::targets(store.clone(), &secrets_keys)?));
    let main = Builder::new_multi_thread().thread_name("server").enable_all().build()?;
    // Guests have threads of their own: none of them keeps the server from answering.
    let guests = Builder::new_multi_thread().thread_name("guests").enable_all().build()?;
    let clock = Arc::new(SystemClock);
    let mut config = Config::new(guests.handle().clone());
    config.max_runs = max_runs.unwrap_or(config.max_runs);
    config.state = Some(Arc::new(RecordState::new(store.clone())));
    config.files = Some(crate::engine::run_files(&data_dir));
    config.callbacks_at.clone_from(&settings.public_url);
    config.traces = traces.as_ref().map(|traces| traces.sampling);
    let traces = traces.map(|traces| Otlp::new(&traces)).transpose()?.map(|otlp| Arc::new(otlp) as Arc<dyn Traces>);
    let runtime = Runtime::new(store.clone(), host.clone(), clock.clone(), config);
    runtime.sweep_files();
    make_owner(&*store)?;
    let drivers = Arc::new(windflow_targets::AllDrivers);
    let plugins = Arc::new(ServedPlugins::new(data_dir.clone(), host.clone()));
    let ports = Ports {
        store: store.clone(),
        records: store.clone(),
        registry: host,
        plugins,
        clock,
        runtime,
        drivers,
        credentials,
        templates: crate::builtins::templates(),
        fetch,
        secrets_keys,
        traces,
    };
    let public_url = settings.public_url.clone();
    let server = main.block_on(Server::open(settings, ports))?;
    let url = public_url.unwrap_or_else(|| format!("http://{}", server.address()));
    greet(&url, server.setup_token().as_deref());
    #[cfg(target_os = "linux")]
    main.spawn(at_rest::settle());
    main.block_on(server.run(async {
        if let Err(error) = interrupted().await {
            tracing::error!(%error, "signals cannot be heard");
            std::future::pending::<()>().await;
        }
        leave_at_the_second_signal();
    }));
    // What is left of attempts ends here; their runs go on after the next start.
    guests.shutdown_timeout(Duration::from_secs(2));
    main.shutdown_timeout(Duration::from_secs(2));
    match Arc::try_unwrap(store) {
        Ok(store) => drop(store),
        Err(_) => tracing::warn!("something still holds the store; it is closed with the process"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The owner that the environment names, where there is nobody yet.
fn make_owner(records: &dyn Records) -> anyhow::Result<()> {
    if !list_users(records)?.is_empty() {
        return Ok(());
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (email, password) = match (variable("WINDFLOW_OWNER_EMAIL"), variable("WINDFLOW_OWNER_PASSWORD")) {
        (Some(email), Some(password)) => (email, password),
        (None, None) => return Ok(()),
        _ => {
            return Err(invalid(
                "of WINDFLOW_OWNER_EMAIL and WINDFLOW_OWNER_PASSWORD only one is set\n  = set both, and the owner is made; or none, and a token is printed that makes the owner",
            ));
        }
    };
    let owner =
        NewUser { organisation: OrganisationId::local(), email, name: String::new(), role: Role::Admin, password };
    match add_user(records, &owner, SystemClock.now()) {
        Ok(_) => Ok(()),
        Err(UserError::Store(error)) => Err(error.into()),
        Err(other) => Err(invalid(format!("WINDFLOW_OWNER_EMAIL or WINDFLOW_OWNER_PASSWORD: {other}"))),
    }
}

/// Says where it listens and how to sign in first. Not through the log, which may go elsewhere and is kept.
fn greet(url: &str, setup_token: Option<&str>) {
    render::line(&format!("{} windflow listens on {}", style("▶").cyan().for_stderr(), style(url).bold().for_stderr()));
    if let Some(token) = setup_token {
        render::line(&format!(
            "\nNobody can sign in yet. Make the owner, once, with this token:\n\n  \
             curl {url}/api/v1/auth/setup -H 'content-type: application/json' \\\n    \
             -d '{{\"token\": \"{token}\", \"email\": \"you@example.org\", \"password\": \"…\"}}'\n"
        ));
    }
}

/// Whoever asks twice does not want to wait. What was acknowledged is durable; the rest goes on after the next start.
fn leave_at_the_second_signal() {
    let leave: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        if interrupted().await.is_ok() {
            render::line("left at once; what had not ended goes on after the next start");
            std::process::exit(exit::INTERRUPTED.into());
        }
    });
    tokio::spawn(leave);
}
