//! Templates of the organisation: published, reviewed, updated, removed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windflow_marketplace::files::{Files, from_folder};
use windflow_marketplace::package;
use windflow_server::Role;

use super::{list, names};
use crate::support::{PURE, scripted, serve};

fn described(name: &str, version: &str) -> Value {
    json!({ "name": name, "version": version, "category": "web", "title": { "en": "Ours", "fr": "Le nôtre" },
        "summary": { "en": "Made here", "fr": "Fait ici" } })
}

/// The files of a template of the tests.
fn files(name: &str) -> Files {
    from_folder(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates").join(name)).unwrap()
}

fn packed(files: &Files) -> Value {
    json!({ "package": STANDARD.encode(package::pack(files, package::TEMPLATE).unwrap()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_becomes_a_template_that_others_do_not_see() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let text = "services:\n  web: { image: \"nginx:1.29.3\", ports: [\"${PORT:-8080}:80\"] }\n";
    editor.post("/api/v1/stacks", &json!({ "name": "ours", "text": text })).await.expect(201);
    let body = json!({ "from": { "stack": "ours" }, "template": described("ours", "1.0.0") });
    let made = editor.post("/api/v1/templates", &body).await.expect(201);
    assert_eq!((&made["name"], &made["registry"]), (&json!("ours"), &json!("private")));
    assert_eq!(made["problems"][0]["code"], "no_health_check", "it is told what could be better");
    assert_eq!(made["problems"][0]["file"], "compose.yaml");
    let shown = editor.get("/api/v1/templates/ours").await.expect(200);
    assert_eq!((&shown["private"], &shown["official"], &shown["text"]), (&json!(true), &json!(false), &json!(text)));
    assert_eq!(names(&list(&editor, "?q=fait").await), ["ours"]);
    editor.post("/api/v1/templates/ours/install", &json!({ "as": "copy" })).await.expect(201);
    let other = served.person("other", Role::Admin).await;
    assert!(!names(&list(&other, "").await).contains(&"ours"));
    other.get("/api/v1/templates/ours").await.problem(404, "not_found");
    other.delete("/api/v1/templates/ours").await.problem(404, "not_found");
    // It outlives the server.
    served.stop().await;
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    editor.get("/api/v1/templates/ours").await.expect(200);
    editor.delete("/api/v1/templates/ours").await.expect(204);
    editor.get("/api/v1/templates/ours").await.problem(404, "not_found");
    editor.get("/api/v1/stacks/copy").await.expect(200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_version_keeps_what_is_not_said_anew_and_its_changelog_grows() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.post("/api/v1/templates", &packed(&files("shop"))).await.expect(201);
    let shop = editor.get("/api/v1/templates/shop?registry=private").await.expect(200);
    let text = "services:\n  web:\n    image: nginx:1.29.4\n";
    editor.post("/api/v1/stacks", &json!({ "name": "ours", "text": text })).await.expect(201);
    let body = json!({ "from": { "stack": "ours" }, "template": { "name": "shop", "version": "1.2.0" }, "changes": "Smaller." });
    editor.post("/api/v1/templates", &body).await.expect(201);
    let next = editor.get("/api/v1/templates/shop?registry=private").await.expect(200);
    for kept in ["title", "summary", "category", "tags", "readme", "requirements"] {
        assert_eq!(next[kept], shop[kept], "{kept}");
    }
    assert!(next["preview"].is_string(), "its drawings stay, too");
    let (before, after) = (shop["changelog"].as_str().unwrap(), next["changelog"].as_str().unwrap());
    assert!(after.contains("## 1.2.0\n\nSmaller.\n\n## 1.1.0"), "{after}");
    assert!(after.ends_with(&before[before.find("## 1.1.0").unwrap()..]), "{after}");
    let body = json!({ "from": { "stack": "ours" }, "template": { "name": "shop" } });
    editor.post("/api/v1/templates", &body).await.problem(422, "invalid_template");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fit_is_not_published_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let text = "services:\n  web:\n    image: nginx:latest\n";
    editor.post("/api/v1/stacks", &json!({ "name": "ours", "text": text })).await.expect(201);
    let mut template = described("Ours", "one");
    template["category"] = json!("stuff");
    let body = json!({ "from": { "stack": "ours" }, "template": template, "icon": "<svg onload='x'/>" });
    let refused = editor.post("/api/v1/templates", &body).await.problem(422, "invalid_template");
    let told: Vec<_> =
        refused["problems"].as_array().unwrap().iter().map(|it| (it["file"].as_str().unwrap(), &it["code"])).collect();
    for expect in
        [("template.yaml", "invalid_version"), ("template.yaml", "invalid_template"), ("icon.svg", "invalid_picture")]
    {
        assert!(told.iter().any(|(file, code)| (*file, code.as_str().unwrap()) == expect), "{expect:?}: {told:?}");
    }
    let body = json!({ "from": { "stack": "ours" }, "template": described("ours", "1.0.0") });
    let refused = editor.post("/api/v1/templates", &body).await.problem(422, "invalid_template");
    assert_eq!(refused["problems"][0]["code"], "image_not_pinned");
    assert_eq!(refused["problems"][0]["line"], 2);
    let mut unknown = files("nightly-check");
    let text = String::from_utf8(unknown["workflow.yaml"].clone()).unwrap().replace("pure@1", "nosuch@1");
    unknown.insert("workflow.yaml".into(), text.into_bytes());
    for (body, code) in [
        (json!({}), "invalid_body"),
        (json!({ "package": "!" }), "bad_package"),
        (json!({ "package": STANDARD.encode(b"no archive") }), "bad_package"),
        (packed(&unknown), "invalid_template"),
        (json!({ "from": { "stack": "ours" }, "template": described("installed", "1.0.0") }), "invalid_template"),
    ] {
        editor.post("/api/v1/templates", &body).await.problem(422, code);
    }
    editor.post("/api/v1/templates", &json!({ "from": { "stack": "nosuch" } })).await.problem(404, "not_found");
    let huge = json!({ "package": "A".repeat(3 << 20) });
    editor.post("/api/v1/templates", &huge).await.problem(413, "too_large");
    assert_eq!(list(&editor, "?registry=private").await["total"], 0);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_review_once_each_and_admins_tidy_up() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let admin = served.person("local", Role::Admin).await;
    let at = "/api/v1/templates/shop/reviews";
    editor.post(at, &json!({ "stars": 2, "text": "Hm." })).await.expect(201);
    editor.post(at, &json!({ "stars": 4, "text": "  Better.  " })).await.expect(201);
    admin.post(at, &json!({ "stars": 5 })).await.expect(201);
    let rating = |page: Value| page["items"][0]["rating"].clone();
    assert_eq!(rating(list(&admin, "?q=shop").await), json!({ "average": 4.5, "count": 2 }));
    let reviews = editor.get(at).await.expect(200);
    let reviews = reviews["items"].as_array().unwrap();
    let mine = reviews.iter().find(|review| review["mine"] == true).unwrap();
    assert_eq!((&mine["text"], &mine["by"], &mine["version"]), (&json!("Better."), &json!("editor"), &json!("1.1.0")));
    let theirs = reviews.iter().find(|review| review["mine"] == false).unwrap()["user"].as_str().unwrap();
    editor.delete(&format!("{at}?user={theirs}")).await.problem(403, "forbidden");
    let user = mine["user"].as_str().unwrap();
    admin.delete(&format!("{at}?user={user}")).await.expect(204);
    assert_eq!(rating(list(&admin, "?q=shop").await), json!({ "average": 5.0, "count": 1 }));
    editor.delete(at).await.problem(404, "not_found");
    for bad in [json!({ "stars": 0 }), json!({ "stars": 6 }), json!({ "stars": 5, "text": "x".repeat(2001) })] {
        editor.post(at, &bad).await.problem(422, "invalid_review");
    }
    let elsewhere = served.person("other", Role::Admin).await;
    assert_eq!(elsewhere.get(at).await.expect(200)["items"], json!([]));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_shown_as_a_difference_and_made_a_version() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let mut shop = files("shop");
    let mut change = |file: &str, from: &str, to: &str| {
        let text = String::from_utf8(shop[file].clone()).unwrap();
        assert!(text.contains(from), "{from} in {file}");
        shop.insert(file.to_owned(), text.replace(from, to).into_bytes());
        packed(&shop)
    };
    let first = change("template.yaml", "name: shop", "name: store");
    editor.post("/api/v1/templates", &first).await.expect(201);
    editor.post("/api/v1/templates/store/install", &json!({ "as": "boots" })).await.expect(201);
    let at = "/api/v1/templates/installed/stack/boots/update";
    assert_eq!(editor.get(at).await.expect(200)["update"], false);
    editor.post(at, &json!({})).await.problem(409, "up_to_date");
    editor.post("/api/v1/templates", &first).await.problem(409, "version_exists");

    change("template.yaml", "version: 1.1.0", "version: 1.2.0");
    change("CHANGELOG.md", "## 1.1.0", "## 1.2.0\n\nA newer database.\n\n## 1.1.0");
    let second = change("compose.yaml", "postgres:18.1", "postgres:18.2");
    editor.post("/api/v1/templates", &second).await.expect(201);
    assert_eq!(list(&editor, "?q=store").await["items"][0]["installed"][0]["update"], true);
    let listed = editor.get("/api/v1/templates/installed").await.expect(200);
    assert_eq!((&listed["items"][0]["version"], &listed["items"][0]["latest"]), (&json!("1.1.0"), &json!("1.2.0")));
    let shown = editor.get(at).await;
    let tag = shown.header("etag").to_owned();
    let shown = shown.expect(200);
    assert_eq!((&shown["update"], &shown["changed_by_hand"]), (&json!(true), &json!(false)));
    let difference = shown["difference"].as_str().unwrap();
    assert!(difference.contains("-    image: postgres:18.1\n+    image: postgres:18.2\n"), "{difference}");
    // Somebody changes it by hand: whoever looked before is told so.
    let text =
        editor.get("/api/v1/stacks/boots/versions").await.expect(200)["items"][0]["text"].as_str().unwrap().to_owned();
    let by_hand = json!({ "text": text.replace("My shop", "Our shop") });
    editor.send(editor.request("PUT", "/api/v1/stacks/boots").json(&by_hand)).await.expect(200);
    assert_eq!(editor.get(at).await.expect(200)["changed_by_hand"], true);
    let stale = editor.request("POST", at).header("if-match", tag);
    editor.send(stale).await.problem(412, "changed_meanwhile");
    assert_eq!(editor.send(editor.request("POST", at)).await.expect(200)["version"], "1.2.0");
    assert_eq!(editor.get("/api/v1/stacks/boots").await.expect(200)["version"], 3);
    assert_eq!(editor.get(at).await.expect(200)["update"], false);
    // The version before can still be had.
    editor.get("/api/v1/templates/store?version=1.1.0").await.expect(200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_updated_under_its_own_name() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let publish = |version: &str| json!({ "from": { "workflow": "pure" }, "template": described("calm", version) });
    editor.post("/api/v1/templates", &publish("1.0.0")).await.expect(201);
    editor.post("/api/v1/templates/calm/install", &json!({ "as": "mine" })).await.expect(201);
    let changed = PURE.replace("default: 1", "default: 2");
    editor.yaml("PUT", "/api/v1/workflows/pure/document", &changed, Some("*")).await.expect(200);
    editor.post("/api/v1/templates", &publish("1.0.1")).await.expect(201);
    let at = "/api/v1/templates/installed/workflow/mine/update";
    let shown = editor.get(at).await.expect(200);
    let difference = shown["difference"].as_str().unwrap();
    assert!(difference.contains("default: 2") && !difference.contains("+name"), "{difference}");
    editor.post(at, &json!({})).await.expect(200);
    let text = editor.get("/api/v1/workflows/mine/document").await.expect(200);
    assert!(text.as_str().unwrap().contains("name: mine\n") && text.as_str().unwrap().contains("default: 2"));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_from_elsewhere_becomes_drafts_and_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let at = "/api/v1/templates/convert";
    let text = "services:\n  web:\n    image: nginx:1.29.3\n    ports: [\"80:80\"]\n";
    let converted = editor.post(at, &json!({ "kind": "compose", "text": text })).await.expect(200);
    let draft = &converted["drafts"][0];
    assert_eq!(draft["template"]["name"], "web");
    assert_eq!(draft["variables"][0]["name"], "WEB_PORT");
    assert_eq!(draft["problems"][0]["code"], "no_health_check");
    let agent =
        r#"{ "version": "2", "templates": [{ "type": 1, "title": "Agent", "image": "a:1", "privileged": true }] }"#;
    let converted = editor.post(at, &json!({ "kind": "portainer", "text": agent })).await.expect(200);
    assert_eq!((&converted["drafts"], &converted["refused"][0]["code"]), (&json!([]), &json!("unsafe")));
    let converted = editor.post(at, &json!({ "kind": "caprover", "text": "[" })).await.expect(200);
    assert_eq!(converted["refused"][0]["code"], "malformed");
    editor.post(at, &json!({ "kind": "other", "text": "" })).await.problem(422, "invalid_body");
    assert_eq!(list(&editor, "?registry=private").await["total"], 0);
    served.stop().await;
}
