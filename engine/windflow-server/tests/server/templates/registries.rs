//! Registries by address: believed under their key, never an older one, and kept over restarts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use windflow_marketplace::files::from_folder;
use windflow_marketplace::index::{Entry, Index, make};
use windflow_marketplace::signature::SigningKey;
use windflow_server::Role;

use super::{list, names};
use crate::support::{scripted, serve};

/// A registry on loopback whose files can be changed.
#[derive(Clone)]
struct Site {
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    address: String,
}

impl Site {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/registry", listener.local_addr().unwrap());
        let site = Self { files: Arc::default(), asked: Arc::default(), address };
        let answer = async |State(site): State<Site>, uri: Uri| {
            let path = uri.path().trim_start_matches("/registry/").to_owned();
            site.asked.lock().unwrap().push(path.clone());
            let found = site.files.lock().unwrap().get(&path).cloned();
            found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
        };
        let router = Router::new().fallback(answer).with_state(site.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        site
    }

    fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes.into());
    }

    /// Offers the shop under another name.
    fn offer(&self, key: &SigningKey, sequence: u64) -> Entry {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/shop");
        let mut files = from_folder(&folder).unwrap();
        let text = String::from_utf8(files["template.yaml"].clone()).unwrap();
        files.insert("template.yaml".into(), text.replace("name: shop", "name: bazaar").into_bytes());
        let made = make(&files).unwrap();
        let index = Index::new("acme", sequence, "2026-11-21T00:00:00Z", vec![made.entry.clone()]).to_bytes().unwrap();
        self.put("index.json.sig", key.sign(&index));
        self.put("index.json", index);
        self.put("packages/bazaar-1.1.0.tar.gz", made.package);
        made.entry
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn add(site: &Site, key: &SigningKey) -> Value {
    json!({ "name": "acme", "address": site.address, "key": key.public().to_string() })
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_of_a_registry_are_installed_and_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let (site, key) = (Site::open().await, SigningKey::generate().unwrap().0);
    site.offer(&key, 7);
    let added = admin.post("/api/v1/registries", &add(&site, &key)).await.expect(201);
    assert_eq!((&added["sequence"], &added["templates"], &added["error"]), (&json!(7), &json!(1), &Value::Null));
    admin.post("/api/v1/registries", &add(&site, &key)).await.problem(409, "exists");
    let found = list(&admin, "?q=bazaar").await;
    assert_eq!((names(&found), &found["items"][0]["registry"]), (vec!["bazaar"], &json!("acme")));
    admin.post("/api/v1/templates/bazaar/install", &json!({ "as": "boots" })).await.expect(201);
    let other = served.person("other", Role::Admin).await;
    assert!(names(&list(&other, "?q=bazaar").await).is_empty(), "each organisation decides whom it trusts");
    site.asked();
    served.stop().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.signed_in("admin@local.example").await;
    assert_eq!(names(&list(&admin, "?q=bazaar").await), ["bazaar"]);
    admin.get("/api/v1/templates/bazaar").await.expect(200);
    admin.get("/api/v1/templates/bazaar/icon").await.expect(200);
    assert!(site.asked().is_empty(), "a restart fetches nothing again");
    admin.delete("/api/v1/registries/acme").await.expect(204);
    assert!(names(&list(&admin, "?q=bazaar").await).is_empty());
    assert_eq!(admin.get("/api/v1/templates/installed").await.expect(200)["items"][0]["latest"], Value::Null);
    admin.get("/api/v1/stacks/boots").await.expect(200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tampered_with_or_played_again_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let (site, key) = (Site::open().await, SigningKey::generate().unwrap().0);
    site.offer(&key, 7);
    let stranger = SigningKey::generate().unwrap().0;
    admin.post("/api/v1/registries", &add(&site, &stranger)).await.problem(422, "bad_signature");
    assert_eq!(admin.get("/api/v1/registries").await.expect(200)["items"], json!([]), "it was not kept");
    admin.post("/api/v1/registries", &add(&site, &key)).await.expect(201);

    // Another package than the index promises.
    site.put("packages/bazaar-1.1.0.tar.gz", b"evil".to_vec());
    admin.get("/api/v1/templates/bazaar").await.problem(422, "bad_digest");
    admin.post("/api/v1/templates/bazaar/install", &json!({ "as": "boots" })).await.problem(422, "bad_digest");
    site.put("packages/bazaar-1.1.0.tar.gz", vec![0; 3 << 20]);
    admin.get("/api/v1/templates/bazaar").await.problem(422, "registry_unreachable");
    admin.get("/api/v1/stacks/boots").await.problem(404, "not_found");

    // An older index, one of somebody else, a huge one, none at all: what was there stays.
    let refresh = "/api/v1/registries/acme/refresh";
    site.offer(&key, 6);
    admin.post(refresh, &json!({})).await.problem(422, "downgrade");
    site.offer(&stranger, 9);
    admin.post(refresh, &json!({})).await.problem(422, "bad_signature");
    site.offer(&key, 9);
    site.put("index.json", vec![b' '; 9 << 20]);
    admin.post(refresh, &json!({})).await.problem(422, "registry_unreachable");
    site.files.lock().unwrap().clear();
    admin.post(refresh, &json!({})).await.problem(422, "registry_unreachable");
    let kept = admin.get("/api/v1/registries").await.expect(200)["items"][0].clone();
    assert_eq!(kept["sequence"], 7);
    assert!(kept["error"].as_str().unwrap().contains("404"), "{kept}");
    assert_eq!(names(&list(&admin, "?q=bazaar").await), ["bazaar"]);
    site.offer(&key, 8);
    assert_eq!(admin.post(refresh, &json!({})).await.expect(200)["error"], Value::Null);
    admin.get("/api/v1/templates/bazaar").await.expect(200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_for_registries_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let key = SigningKey::generate().unwrap().0.public().to_string();
    for (address, code) in [
        ("http://templates.example.org", "invalid_address"),
        ("ftp://templates.example.org", "invalid_address"),
        ("https://user@templates.example.org", "invalid_address"),
        ("https://templates.example.org/?x", "invalid_address"),
        ("nothing", "invalid_address"),
        ("https://10.0.0.1/registry", "registry_unreachable"),
        ("https://169.254.169.254/latest", "registry_unreachable"),
        ("http://127.0.0.1:1/registry", "registry_unreachable"),
    ] {
        let body = json!({ "name": "acme", "address": address, "key": key });
        admin.post("/api/v1/registries", &body).await.problem(422, code);
    }
    for (name, key, code) in [
        ("windflow", &*key, "invalid_name"),
        ("private", &key, "invalid_name"),
        ("../x", &key, "invalid_name"),
        ("acme", "rsa:x", "invalid_key"),
    ] {
        let body = json!({ "name": name, "address": "https://templates.example.org", "key": key });
        admin.post("/api/v1/registries", &body).await.problem(422, code);
    }
    // This machine is the operator's.
    let other = served.person("other", Role::Admin).await;
    let body = json!({ "name": "acme", "address": "http://127.0.0.1:1/registry", "key": key });
    other.post("/api/v1/registries", &body).await.problem(422, "invalid_address");
    served.stop().await;
}
