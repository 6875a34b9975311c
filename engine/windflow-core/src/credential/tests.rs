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
        (
            json!({ "oauth2": { "token_url": "https://login.example.org/token", "client_id": "flow", "scopes": ["read"] } }),
            "access tokens from https://login.example.org/token",
        ),
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
        (
            json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3cret-value", "client_secret": "s3cret-2" }),
            "leave it away",
        ),
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

#[test]
fn a_client_of_a_token_server_has_an_address_and_a_name() {
    let of = |oauth: Value, secret: Value| {
        let mut document = json!({ "bind": { "oauth2": oauth }, "hosts": ["a.b"], "value": "s3cret-value" });
        if !secret.is_null() {
            document["client_secret"] = secret;
        }
        read(document)
    };
    let url = "https://login.example.org/token";
    let client = json!({ "token_url": url, "client_id": "flow" });
    let refresh = json!({ "token_url": url, "client_id": "flow", "grant": "refresh_token" });
    let kept = of(refresh.clone(), json!("s3cret-client")).unwrap();
    assert_eq!(kept.client_secret(), Some("s3cret-client"));
    let again: Credential = serde_json::from_value(serde_json::to_value(&kept).unwrap()).unwrap();
    assert!(again == kept && !format!("{kept:?}").contains("s3cret"), "{kept:?}");
    let rotated = kept.with_value("s3cret-rotated".to_owned()).unwrap();
    assert_eq!((rotated.value(), rotated.client_secret()), ("s3cret-rotated", Some("s3cret-client")));
    assert!(kept.with_value("line\nbreak".to_owned()).is_err());
    assert!(of(json!({ "token_url": url, "grant": "refresh_token" }), Value::Null).is_ok());

    for (oauth, secret, says) in [
        (json!({ "token_url": url }), Value::Null, "`bind.oauth2.client_id` is missing"),
        (client.clone(), json!("s3cret-client"), "leave `client_secret` away"),
        (refresh.clone(), json!("s3c"), "`client_secret` has 3 bytes"),
        (json!({ "token_url": url, "grant": "refresh_token" }), json!("s3cret-client"), "without a `client_id`"),
        (json!({ "token_url": "login.example.org", "client_id": "a" }), Value::Null, "is no address"),
        (json!({ "token_url": "https://u:p@a.b/", "client_id": "a" }), Value::Null, "is no address"),
        (json!({ "token_url": "https://a.b/#x", "client_id": "a" }), Value::Null, "is no address"),
        (json!({ "token_url": url, "client_id": "" }), Value::Null, "`bind.oauth2.client_id` is empty"),
        (json!({ "token_url": url, "client_id": "a", "scopes": ["a b"] }), Value::Null, "no scope"),
        (json!({ "token_url": url, "client_id": "a", "grant": "password" }), Value::Null, "unknown variant"),
        (json!({ "token_url": url, "client_id": "a", "client_secret": "s3cret" }), Value::Null, "unknown field"),
    ] {
        let error = of(oauth.clone(), secret).unwrap_err();
        assert!(error.contains(says) && !error.contains("s3c"), "{oauth}: {error}");
    }
}
