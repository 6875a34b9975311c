//! Engines that are not this machine's socket: behind TLS, and behind an SSH server. Each way in that is none says which it is, soon.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Notify;
use windflow_stacks::containers::{Exec, With};
use windflow_stacks::driver::{Action, Driver, DriverError, Drivers, Job, Never, Verdict};
use windflow_stacks::target::Credentials;
use windflow_targets::AllDrivers;
use windflow_testkit::docker::SshServer;

use super::authority::{Authority, Signed};
use super::support::{DockerEngine, free_port, get, project, shop};

async fn reach(address: &str, credentials: &Credentials) -> Result<Arc<dyn Driver>, DriverError> {
    let begun = Instant::now();
    let reached = AllDrivers.connect(address, credentials).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "it hung: {:?}", reached.err());
    reached
}

async fn refused(address: &str, credentials: &Credentials, code: &str, says: &str) {
    let error = reach(address, credentials).await.err().unwrap_or_else(|| panic!("{address} is reached: not {code}"));
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.message.contains(says), "{error:?}");
    assert!(error.remedy.is_some(), "{error:?}");
}

/// Does there what is done on targets: tests, deploys, watches, and speaks with a command, for which the connection changes its protocol.
async fn serves(driver: &dyn Driver) {
    let facts = driver.facts().await.unwrap();
    assert!(facts.engine.starts_with("Docker ") && facts.cpus > 0, "{facts:?}");
    let port = free_port();
    let wanted = project(&shop(1, port));
    let (registries, events) = (BTreeMap::new(), |_| ());
    let job = |deployment| Job {
        deployment,
        project: &wanted,
        registries: &registries,
        timeout: Duration::from_secs(60),
        cancel: &Never,
        events: &events,
    };
    let outcome = driver.deploy(&job("d1")).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Deployed, "{outcome:#?}");
    assert_eq!(get(port).as_deref(), Some("version 1"));
    assert_eq!(driver.deploy(&job("d2")).await.unwrap().verdict, Verdict::Unchanged);
    let exec: Exec =
        serde_json::from_value(json!({ "stack": "shop", "service": "web", "command": ["cat", "/www/index.html"] }))
            .unwrap();
    let timeout = Duration::from_secs(60);
    let with = With { run: "test", registries: &registries, timeout, cancel: &Never, tell: &|_| () };
    let ended = driver.containers().unwrap().exec("far", &exec, &with).await.unwrap();
    assert_eq!((ended.exit_code, ended.said.stdout.trim()), (Some(0), "version 1"));

    let before = driver.sample().await.unwrap();
    let changed = Notify::new();
    let hear = || changed.notify_one();
    let stops = async {
        // What is heard begins with the answer to the question, so that one is asked again until it was.
        for action in [Action::Stop, Action::Start].iter().cycle() {
            driver.act("shop", &[], action, &events).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(500), changed.notified()).await.is_ok() {
                break;
            }
        }
    };
    tokio::select! {
        lost = driver.follow(&hear) => panic!("it was lost: {lost:?}"),
        () = stops => {}
    }
    driver.act("shop", &[], &Action::Start, &events).await.unwrap();
    let after = driver.sample().await.unwrap();
    assert_eq!((before.computed.len(), after.computed.len()), (2, 2));
    assert!(before.memory > 0 && after.cores_since(&before, Duration::from_secs(1)).is_some_and(|cores| cores >= 0.0));
    assert!(driver.disk().await.unwrap() > 100_000);
}

/// An engine that listens for TLS with this certificate, and takes clients whose certificate this authority has signed.
fn engine(folder: &std::path::Path, port: u16, ours: &Authority, theirs: &Signed) -> DockerEngine {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let flags = [
        "-H".to_owned(),
        format!("tcp://127.0.0.1:{port}"),
        "--tlsverify".to_owned(),
        format!("--tlscacert={}", file("ca.pem", &ours.pem())),
        format!("--tlscert={}", file("cert.pem", &theirs.certificate)),
        format!("--tlskey={}", file("key.pem", &theirs.key)),
    ];
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    DockerEngine::start_with(&flags, None)
}

fn certificates(ca: &Authority, own: Signed) -> Credentials {
    Credentials { ca: Some(ca.pem()), certificate: Some(own.certificate), key: Some(own.key), ..Credentials::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_behind_tls_is_deployed_to_with_the_right_certificates_alone() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let running = engine(folder.path(), port, &authority, &authority.engine(&["127.0.0.1", "edge.test"], false));
    let address = format!("tcp://127.0.0.1:{port}");
    let right = certificates(&authority, authority.client(false));
    serves(&*reach(&address, &right).await.unwrap()).await;

    refused(&address, &certificates(&stranger, authority.client(false)), "tls_authority", "authority").await;
    refused(&address, &certificates(&authority, authority.client(true)), "certificates", "its time is over").await;
    refused(&address, &certificates(&authority, stranger.client(false)), "tls_refused", "did not sign it").await;
    // One for engines is none for clients.
    let engines = authority.engine(&["127.0.0.1"], false);
    refused(&address, &certificates(&authority, engines), "certificates", "not one for clients").await;
    refused(&format!("tcp://localhost:{port}"), &right, "tls_name", "edge.test").await;
    let lonely = Credentials { certificate: None, key: None, ..right.clone() };
    refused(&address, &lonely, "certificates", "its key").await;
    // In plain text, to a port with TLS.
    refused(&address, &Credentials::default(), "tls_wanted", "HTTPS").await;
    refused(&format!("tcp://127.0.0.1:{}", free_port()), &right, "unreachable", "refused").await;
    // A port that takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("tcp://{}", silent.local_addr().unwrap());
    refused(&silent, &right, "unreachable", &silent).await;
    drop(running);

    let expired = authority.engine(&["127.0.0.1"], true);
    let running = engine(folder.path(), port, &authority, &expired);
    refused(&address, &right, "tls_expired", "is over").await;
    drop(running);

    // With TLS, to a port in plain text.
    let plain = DockerEngine::start_with(&["-H", &address, "--tls=false"], None);
    refused(&address, &right, "tls_missing", "no TLS").await;
    assert!(reach(&address, &Credentials::default()).await.is_ok());
    drop(plain);
}

/// Processes `ssh` that this process has started and that are not over.
fn sessions() -> Vec<String> {
    let own = std::process::id().to_string();
    let found = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.split_once(") ")?;
        let mut words = rest.split(' ');
        let (state, parent) = (words.next()?, words.next()?);
        (name == "ssh" && parent == own && state != "Z").then(|| stat.clone())
    });
    found.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_behind_ssh_is_deployed_to_by_those_who_know_each_other() {
    let engine = DockerEngine::start();
    let server = SshServer::start(engine.address());
    let address = server.address();
    let with = |key: &str, host: Option<&str>| Credentials {
        ssh_private_key: Some(server.file(key)),
        ssh_host_keys: host.map(|file| server.file(file)),
        ..Credentials::default()
    };
    let right = with("ours", Some("host.pub"));
    let driver = reach(&address, &right).await.unwrap();
    serves(&*driver).await;
    drop(driver);
    let begun = Instant::now();
    while !sessions().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "processes are left: {:?}", sessions());
        tokio::task::yield_now().await;
    }

    refused(&address, &with("ours", None), "ssh_host_key_unknown", "ssh-ed25519 SHA256:").await;
    refused(&address, &with("ours", Some("stranger.pub")), "ssh_host_key_changed", "ssh-ed25519 SHA256:").await;
    refused(&address, &with("stranger", Some("host.pub")), "ssh_refused", "does not let us in").await;
    let garbage = Credentials { ssh_private_key: Some("no key".to_owned()), ..right.clone() };
    refused(&address, &garbage, "ssh_key", "cannot be used").await;
    refused(&format!("ssh://root@127.0.0.1:{}", free_port()), &right, "unreachable", "refused").await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("ssh://root@{}", silent.local_addr().unwrap());
    refused(&silent, &right, "unreachable", "127.0.0.1").await;

    let nothing = SshServer::start("unix:///nosuch/docker.sock");
    let known = |server: &SshServer| Credentials {
        ssh_private_key: Some(server.file("ours")),
        ssh_host_keys: Some(server.file("host.pub")),
        ..Credentials::default()
    };
    refused(&nothing.address(), &known(&nothing), "ssh_no_engine", "/nosuch/docker.sock").await;
    let bare = SshServer::start_with_path(engine.address(), "/nosuch");
    refused(&bare.address(), &known(&bare), "ssh_no_docker", "no `docker`").await;
    let begun = Instant::now();
    while !sessions().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "processes are left: {:?}", sessions());
        tokio::task::yield_now().await;
    }
}
