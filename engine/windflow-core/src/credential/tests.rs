use serde_json::{Value, json};

use super::*;

fn read(document: Value) -> Result<Credential, String> {
    serde_json::from_value(document).map_err(|error| error.to_string())
}

#[test]
fn credentials_are_written_by_their_binding() {
    for (bind, told) in [
        (json!("bearer"), "a bearer token"),
        (json!({ "basic": { "username": "ada" } }), "the password of ada"),
        (json!({ "header": { "name": "X-Api-Key" } }), "the header X-Api-Key"),
        (json!({ "query": { "name": "key" } }), "the query field key"),
        (json!({ "hmac": { "header": "X-Signature", "prefix": "sha256=" } }), "a signature in the header X-Signature"),
    ] {
        let document = json!({ "bind": bind, "hosts": ["api.example.org"], "value": "s3cret-value" });
        let credential = read(document).unwrap();
        assert_eq!(credential.binding().to_string(), told);
        assert_eq!(
            serde_json::from_value::<Credential>(serde_json::to_value(&credential).unwrap()).unwrap(),
            credential
        );
        assert!(!format!("{credential:?}").contains("s3cret"), "{credential:?}");
    }
    let url = read(json!({ "bind": "url", "value": "https://hooks.example.org/T/B/s3cret" })).unwrap();
    assert_eq!(url.hosts()[0].to_string(), "https://hooks.example.org:443");
}

#[test]
fn what_is_wrong_is_named_without_the_value() {
    for (document, says) in [
        (json!({ "bind": "bearer", "value": "s3cret-value" }), "`hosts` is missing"),
        (json!({ "bind": "bearer", "hosts": ["*"], "value": "s3cret-value" }), "every host"),
        (json!({ "bind": "bearer", "hosts": ["https://*:*"], "value": "s3cret-value" }), "every host"),
        (json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3c" }), "has 3 bytes"),
        (json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3cret\nX-Evil: 1" }), "control character"),
        (json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3cret-é" }), "beyond ASCII"),
        (json!({ "bind": "bearer", "hosts": ["a.b"], "value": " s3cret" }), "space"),
        (
            json!({ "bind": { "header": { "name": "Host" } }, "hosts": ["a.b"], "value": "s3cret-value" }),
            "the host alone",
        ),
        (
            json!({ "bind": { "header": { "name": "a b" } }, "hosts": ["a.b"], "value": "s3cret-value" }),
            "no name of a header",
        ),
        (json!({ "bind": { "basic": { "username": "a:b" } }, "hosts": ["a.b"], "value": "s3cret-value" }), "colon"),
        (json!({ "bind": "url", "value": "hooks.example.org/s3cret" }), "no address"),
        (json!({ "bind": "url", "hosts": ["a.b"], "value": "https://c.d/s3cret" }), "leave `hosts` away"),
        (json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3cret-value", "scope": 1 }), "unknown field"),
    ] {
        let error = read(document.clone()).unwrap_err();
        assert!(error.contains(says) && !error.contains("s3c"), "{document}: {error}");
    }
}

#[test]
fn a_credential_goes_to_its_hosts_only_and_over_tls_unless_written_otherwise() {
    let of = |hosts: &[&str]| read(json!({ "bind": "bearer", "hosts": hosts, "value": "s3cret-value" })).unwrap();
    for (hosts, url, expect) in [
        ("api.example.org", "https://api.example.org/a", true),
        ("api.example.org", "http://api.example.org/a", false),
        ("http://api.example.org", "http://api.example.org/a", true),
        ("https://api.example.org", "http://api.example.org/a", false),
        ("api.example.org", "https://api.example.org:8443/", false),
        ("api.example.org", "https://example.org/", false),
        ("api.example.org", "https://api.example.org.evil.test/", false),
        ("*.example.org", "https://a.example.org/", true),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", false),
        ("http://127.0.0.1:*", "http://127.0.0.1:8080/", true),
    ] {
        let origin = Origin::from_url(url).unwrap();
        assert_eq!(of(&[hosts]).may_go_to(&origin), expect, "{hosts} {url}");
    }
}
