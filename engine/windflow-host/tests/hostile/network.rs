//! Requests to where they may not go, requests that are two, and servers that hold whoever asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use windflow_core::failure::FailureKind::{Node, Timeout};
use windflow_host::HostConfig;

use crate::support::requests::{Names, check_denied, config, get};
use crate::support::server::Server;
use crate::support::{Attempt, CONTRACTS};

#[tokio::test]
async fn private_addresses_are_denied_under_whatever_name_or_form() {
    for contract in CONTRACTS {
        let (host, server) = (contract.host_with(config(), "http"), Server::start().await);
        let port = server.port();
        for (authority, says) in [
            ("169.254.169.254".to_owned(), "169.254.169.254"),
            (format!("127.0.0.1:{port}"), "127.0.0.1"),
            (format!("[::ffff:127.0.0.1]:{port}"), "127.0.0.1"),
            (format!("[::1]:{port}"), "::1"),
            (format!("0.0.0.0:{port}"), "0.0.0.0"),
            (format!("2130706433:{port}"), "usual form"),
            (format!("0x7f000001:{port}"), "usual form"),
            (format!("0177.0.0.1:{port}"), "usual form"),
            (format!("127.1:{port}"), "usual form"),
            (format!("loopback.test:{port}"), "http://127.0.0.1"),
            (format!("mapped.test:{port}"), "127.0.0.1"),
            (format!("localhost:{port}"), "127.0.0.1"),
            ("metadata.test".to_owned(), "169.254.169.254"),
            ("mixed.test".to_owned(), "10.0.0.1"),
            (format!("user@127.0.0.1:{port}"), "usual form"),
        ] {
            check_denied(&host, get(&authority, "/").grant(&["*:*"]), &["denied", says]).await;
        }
        assert_eq!(server.connections(), 0);
    }
}

#[tokio::test]
async fn redirects_are_checked_at_every_hop() {
    for contract in CONTRACTS {
        let (host, server) = (contract.host_with(config(), "http"), Server::start().await);
        let granted = format!("127.0.0.1:{}", server.port());
        get(&server.authority(), &format!("/to/{granted}/ok")).grant(&[&granted]).gives(&host, "[200,5]").await;
        for (to, says) in [
            ("169.254.169.254/latest", "169.254.169.254"),
            ("elsewhere.test/", "elsewhere.test"),
            ("127.0.0.1:1/", "127.0.0.1:1"),
        ] {
            let attempt = get(&server.authority(), &format!("/to/{to}")).grant(&[&granted]);
            check_denied(&host, attempt, &[says, "add to the workflow"]).await;
        }
    }
}

#[tokio::test]
async fn names_are_resolved_once_for_each_request_and_a_kept_connection_is_no_way_around() {
    for contract in CONTRACTS {
        let server = Server::start().await;
        let resolver = Arc::new(Names::default());
        let host = contract.host_with(HostConfig { resolver: Arc::clone(&resolver) as _, ..config() }, "http");
        let port = server.port();
        let attempt = get(&format!("rebinding.test:{port}"), "/").grant(&["*:*", &format!("127.0.0.1:{port}")]);
        attempt.gives(&host, "[200,5]").await;
        assert_eq!(resolver.0.load(Ordering::SeqCst), 1);
        check_denied(&host, attempt, &["10.0.0.1"]).await;
        // Another run without the grant cannot use the connection that the first one left.
        check_denied(&host, get(&server.authority(), "/").grant(&["*:*"]), &["127.0.0.1"]).await;
        assert_eq!((server.requests(), resolver.0.load(Ordering::SeqCst)), (1, 2));
    }
}

#[tokio::test]
async fn requests_cannot_be_smuggled() {
    for contract in CONTRACTS {
        let (host, server) = (contract.host_with(config(), "http"), Server::start().await);
        let granted = format!("127.0.0.1:{}", server.port());
        for (header, code) in [
            ("host\nother.test", "header"),
            ("Transfer-Encoding\nchunked", "header"),
            ("connection\nkeep-alive", "header"),
            ("proxy-authorization\nx", "header"),
            ("upgrade\nwebsocket", "header"),
            ("te\ntrailers", "header"),
            ("expect\n100-continue", "header"),
            ("x\na\rb", "header"),
            ("a b\nc", "header"),
            ("content-length\n5", "handle_17"),
            ("\n\nconnect", "send_18"),
        ] {
            let attempt =
                Attempt::of("http").config(&format!("{}\n/\n{header}", server.authority())).grant(&[&granted]);
            let failure = attempt.fails(&host, Node, "").await;
            assert_eq!(failure.code, code, "{header:?}");
        }
        assert_eq!(server.requests(), 0);
        let path = get(&server.authority(), "/ HTTP/1.1").grant(&[&granted]);
        assert_eq!(path.fails(&host, Node, "").await.code, "handle_98");
        let attempt = Attempt::of("http").config(&format!("{}\n/\nx-fine\nyes", server.authority())).grant(&[&granted]);
        attempt.gives(&host, "[200,5]").await;
        assert!(server.seen.heads.lock().unwrap()[0].contains("x-fine: yes"));
    }
}

#[tokio::test]
async fn servers_that_misbehave_cannot_hold_a_node() {
    for contract in CONTRACTS {
        let (host, server) = (contract.host_with(config(), "http"), Server::start().await);
        let granted = ["127.0.0.1:*"];
        for (path, code) in [("/endless", "body"), ("/stalls", "body"), ("/silent", "send_09")] {
            let failure = get(&server.authority(), path).grant(&granted).fails(&host, Node, "").await;
            assert_eq!(failure.code, code, "{path}");
        }
        for (authority, code) in [("empty.test", "send_01"), ("unknown.test", "send_01"), ("127.0.0.1:1", "send_06")] {
            let failure = get(authority, "/").grant(&["*:*", "127.0.0.1:*"]).fails(&host, Node, "").await;
            assert_eq!(failure.code, code, "{authority}");
        }
        get(&server.authority(), "/silent").grant(&granted).timeout(200).fails(&host, Timeout, "200ms").await;
    }
}
