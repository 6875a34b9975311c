//! Requests: what may leave, where it may go, and that nothing else does.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use windflow_core::failure::FailureKind::{Cancelled, Node};
use windflow_host::{BreakerSettings, HostConfig, PluginHost, PublicHosts, TlsRoots};

use crate::support::requests::{check_denied, config, get};
use crate::support::server::{Seen, Server, closed, serve};
use crate::support::{Attempt, guest, host_with};

fn host() -> PluginHost {
    host_with(config(), "http")
}

#[tokio::test]
async fn a_granted_request_is_sent_over_a_kept_connection() {
    let (host, server) = (host(), Server::start().await);
    for _ in 0..5 {
        get(&server.authority(), "/ok?a=b").grant(&["127.0.0.1:*"]).gives(&host, "[200,5]").await;
    }
    assert_eq!((server.requests(), server.connections()), (5, 1));
    let head = server.seen.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("GET /ok?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains(&format!("host: {}\r\n", server.authority())), "{head}");
    // A connection that the server closed meanwhile is replaced.
    get(&server.authority(), "/closes").grant(&["127.0.0.1:*"]).gives(&host, "[200,5]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    get(&server.authority(), "/ok").grant(&["127.0.0.1:*"]).gives(&host, "[200,5]").await;
    assert_eq!((server.requests(), server.connections()), (7, 2));
}

#[tokio::test]
async fn what_is_not_granted_is_denied_with_the_line_that_grants_it() {
    let (host, server) = (host(), Server::start().await);
    let line = format!(
        "To allow this request, add to the workflow:\npermissions:\n  http: [\"http://{}\"]",
        server.authority()
    );
    check_denied(&host, get(&server.authority(), "/"), &["does not grant", &line]).await;
    // A wide grant does not open what is not public; the very line does.
    check_denied(&host, get(&server.authority(), "/").grant(&["*:*"]), &["127.0.0.1", &line]).await;
    get(&server.authority(), "/").grant(&[&format!("http://{}", server.authority())]).gives(&host, "[200,5]").await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn private_addresses_are_reached_where_they_are_granted() {
    let (host, server) = (host(), Server::start().await);
    let port = server.port();
    for (authority, grants) in [
        (
            format!("loopback.test:{port}"),
            [format!("loopback.test:{port}"), "127.0.0.0/8".to_owned() + &format!(":{port}")],
        ),
        (format!("localhost:{port}"), [format!("localhost:{port}"), "unused.test".to_owned()]),
    ] {
        get(&authority, "/").grant(&[&grants[0], &grants[1]]).gives(&host, "[200,5]").await;
    }
}

#[tokio::test]
async fn the_manifest_and_the_operator_must_agree_too() {
    let server = Server::start().await;
    let granted = format!("127.0.0.1:{}", server.port());
    let narrow = PluginHost::new(config()).unwrap();
    narrow.install(guest("http", &json!({ "http": ["api.example.org"] }))).unwrap();
    let says = ["the plugin http asks only for api.example.org"];
    check_denied(&narrow, get(&server.authority(), "/").grant(&[&granted]), &says).await;

    let policy = Arc::new(PublicHosts::default());
    let server_like = host_with(HostConfig { http_policy: policy, ..config() }, "http");
    let says = ["the operator of this engine allows public hosts by their names only"];
    check_denied(&server_like, get(&server.authority(), "/").grant(&[&granted]), &says).await;
    let named = get(&format!("loopback.test:{}", server.port()), "/").grant(&["*:*", &granted]);
    check_denied(&server_like, named, &["the operator of this engine does not allow the private address 127.0.0.1"])
        .await;

    let policy = Arc::new(PublicHosts { also: vec!["127.0.0.1:*".parse().unwrap()] });
    let opened = host_with(HostConfig { http_policy: policy, ..config() }, "http");
    get(&server.authority(), "/").grant(&[&granted]).gives(&opened, "[200,5]").await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_cancelled_attempt_drops_its_request() {
    let host = host();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let attempt = get(&listener.local_addr().unwrap().to_string(), "/").grant(&["127.0.0.1:*"]);
    let cancel = Arc::clone(&attempt.cancel);
    let (accepted, _) = tokio::join!(
        async {
            let (stream, _) = listener.accept().await.unwrap();
            cancel.give();
            stream
        },
        attempt.fails(&host, Cancelled, "")
    );
    tokio::time::timeout(Duration::from_secs(2), closed(accepted)).await.expect("the connection stays open");
}

#[tokio::test]
async fn tls_trusts_whom_the_operator_trusts_and_checks_the_name() {
    let key = rcgen::generate_simple_self_signed(vec!["loopback.test".to_owned()]).unwrap();
    let certificate = CertificateDer::from(key.cert.der().to_vec());
    let private = PrivateKeyDer::from_pem_slice(key.signing_key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![certificate.clone()], private).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(serve(stream, Arc::new(Seen::default())));
            }
        }
    });
    let trusting = TlsRoots { system: false, also: vec![certificate] };
    let trusting = host_with(HostConfig { tls_roots: trusting, ..config() }, "http");
    let grants = ["*:*", "127.0.0.1:*"];
    let https = |name: &str| Attempt::of("http").config(&format!("{name}:{port}\n/\n\n\n\ns")).grant(&grants);
    https("loopback.test").gives(&trusting, "[200,5]").await;
    https("loopback.test").gives(&trusting, "[200,5]").await;
    assert_eq!(https("localhost").fails(&trusting, Node, "").await.code, "send_13");
    assert_eq!(https("loopback.test").fails(&host(), Node, "").await.code, "send_13");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_left_alone_for_a_while() {
    let mut config = config();
    config.limits.http.breaker = BreakerSettings { failures: 2, rest: Duration::from_millis(400) };
    let host = host_with(config, "http");
    // Nobody listens there from now on, until somebody does.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let get = || get(&port.to_string(), "/").grant(&["127.0.0.1:*"]);
    let said = async || {
        let attempt = get();
        let failed = attempt.run(&host).await;
        let lines: Vec<String> = attempt.heard.lines.lock().unwrap().iter().map(|(_, line)| line.clone()).collect();
        (failed.is_err(), lines.join("\n"))
    };
    assert_eq!(said().await, (true, String::new()));
    let (failed, second) = said().await;
    assert!(failed && second.contains("is left alone for"), "{second}");
    let listener = tokio::net::TcpListener::bind(port).await.unwrap();
    let seen: Arc<Seen> = Arc::default();
    let serving = tokio::spawn({
        let seen = Arc::clone(&seen);
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        }
    });
    let (failed, third) = said().await;
    assert!(failed && third.contains("left alone for another"), "{third}");
    assert_eq!(seen.heads.lock().unwrap().len(), 0);
    tokio::time::sleep(Duration::from_millis(450)).await;
    // One tries, it is there, and so the others may again.
    for _ in 0..2 {
        assert_eq!(said().await, (false, String::new()));
    }
    serving.abort();
}
