//! Signing in: only who may, only as long as they may.

use serde_json::{Value, json};
use windflow_server::Role;

use crate::support::{Client, PASSWORD, PURE, eventually, scripted, serve};

async fn login(client: &Client, email: &str, password: &str) -> crate::support::Answer {
    client.post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await
}

fn with(client: &Client, token: &Value) -> Client {
    Client { token: Some(token.as_str().unwrap().to_owned()), ..client.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_person_is_made_once_with_the_token_of_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let anybody = served.anonymous();
    let token = served.setup_token.clone().unwrap();
    let owner = json!({ "token": token, "email": "Ada@Example.org ", "name": "Ada", "password": PASSWORD });
    let mut wrong = owner.clone();
    wrong["token"] = json!("guess");
    anybody.post("/api/v1/auth/setup", &wrong).await.problem(401, "unauthorized");
    let mut short = owner.clone();
    short["password"] = json!("short");
    // A mistake does not use up the token.
    anybody.post("/api/v1/auth/setup", &short).await.problem(422, "invalid_user");
    for email in ["", "ada", "@", "a b@c", &format!("{}@x", "a".repeat(300))] {
        let mut bad = owner.clone();
        bad["email"] = json!(email);
        anybody.post("/api/v1/auth/setup", &bad).await.problem(422, "invalid_user");
    }
    let mut reserved = owner.clone();
    reserved["organisation"] = json!("installation");
    anybody.post("/api/v1/auth/setup", &reserved).await.problem(422, "invalid_user");
    let tokens = anybody.post("/api/v1/auth/setup", &owner).await.expect(201);
    let ada = with(&anybody, &tokens["access_token"]);
    let me = ada.get("/api/v1/auth/me").await.expect(200);
    assert_eq!((&me["organisation"], &me["user"]["email"]), (&json!("local"), &json!("ada@example.org")));
    assert_eq!(me["user"]["role"], "admin");
    assert!(!tokens.to_string().contains("argon2"), "the hash of a password was told");
    anybody.post("/api/v1/auth/setup", &owner).await.problem(401, "unauthorized");
    served.stop().await;

    let served = serve(dir.path(), scripted(&[])).await;
    assert_eq!(served.setup_token, None, "there is somebody already");
    login(&served.anonymous(), "ada@example.org", PASSWORD).await.expect(200);
    // The key that signs is kept: tokens from before are still good.
    Client { base: served.anonymous().base, ..ada }.get("/api/v1/auth/me").await.expect(200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_password_signs_in_and_guessing_is_slowed() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    served.person("local", Role::Viewer).await;
    let anybody = served.anonymous();
    let unknown = login(&anybody, "nobody@local.example", PASSWORD).await.problem(401, "unauthorized");
    for _ in 0..10 {
        let wrong = login(&anybody, "viewer@local.example", "wrong password").await.problem(401, "unauthorized");
        assert_eq!(wrong, unknown, "who is known here can be told from who is not");
    }
    let slowed = login(&anybody, "VIEWER@local.example", PASSWORD).await;
    assert!(slowed.header("retry-after").parse::<u32>().unwrap() > 100);
    slowed.problem(429, "too_many_failures");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_change_with_each_use_and_one_that_was_just_used_is_good_for_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    served.person("local", Role::Viewer).await;
    let anybody = served.anonymous();
    let refresh = async |token: &Value| anybody.post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await;
    let first = login(&anybody, "viewer@local.example", PASSWORD).await.expect(200);
    let second = refresh(&first["refresh_token"]).await.expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    with(&anybody, &second["access_token"]).get("/api/v1/auth/me").await.expect(200);
    // The page was loaded anew before it had its answer, in several windows at once.
    let again = futures::future::join_all((0..6).map(|_| refresh(&first["refresh_token"]))).await;
    for renewed in again {
        let renewed = renewed.expect(200);
        with(&anybody, &renewed["access_token"]).get("/api/v1/auth/me").await.expect(200);
    }
    with(&anybody, &second["access_token"]).get("/api/v1/auth/me").await.expect(200);

    let other = login(&anybody, "viewer@local.example", PASSWORD).await.expect(200);
    let token = other["refresh_token"].as_str().unwrap();
    for forged in [
        token.replace("wfr_local", "wfr_other"),
        format!("{token}x"),
        "wfr_local.x.y".into(),
        "x".into(),
        String::new(),
    ] {
        if !forged.ends_with('x') || forged.len() < 10 {
            refresh(&json!(forged)).await.problem(401, "unauthorized");
        }
    }
    anybody.post("/api/v1/auth/logout", &json!({ "refresh_token": token })).await.expect(204);
    refresh(&json!(token)).await.problem(401, "unauthorized");
    with(&anybody, &other["access_token"]).get("/api/v1/auth/me").await.problem(401, "unauthorized");
    anybody.post("/api/v1/auth/logout", &json!({ "refresh_token": "x" })).await.expect(204);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_ours_open_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let viewer = served.person("local", Role::Viewer).await;
    let token = viewer.token.clone().unwrap();
    let (head, _) = token.rsplit_once('.').unwrap();
    for forged in
        [format!("{head}."), format!("{head}.AAAA"), head.to_owned(), "x".into(), "wfk_local.x.y".into(), " ".into()]
    {
        let client = Client { token: Some(forged), ..viewer.clone() };
        let answer = client.get("/api/v1/workflows").await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answer.problem(401, "unauthorized");
    }
    let basic =
        viewer.http.get(format!("{}/api/v1/workflows", viewer.base)).basic_auth("viewer@local.example", Some(PASSWORD));
    viewer.send(basic).await.problem(401, "unauthorized");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_do_what_their_scopes_say_and_never_more_than_their_person() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    admin.create(PURE).await;
    let body = json!({ "name": "ci", "scopes": ["workflows:read", "runs:start"] });
    let made = admin.post("/api/v1/api-keys", &body).await.expect(201);
    let key = with(&admin, &made["token"]);
    key.get("/api/v1/workflows").await.expect(200);
    let run = key.post("/api/v1/workflows/pure/runs", &json!({})).await.expect(201)["run"].clone();
    key.get("/api/v1/runs").await.problem(403, "forbidden");
    key.yaml("PUT", "/api/v1/workflows/pure/document", PURE, Some("*")).await.problem(403, "forbidden");
    let shown = admin.ended(run.as_str().unwrap()).await;
    assert_eq!(shown["started_by"], "key:ci of admin@local.example");
    let listed = admin.get("/api/v1/api-keys").await.expect(200);
    assert_eq!(listed["items"][0]["name"], "ci");
    assert!(!listed.to_string().contains(made["token"].as_str().unwrap()) && listed["items"][0]["token"].is_null());

    let until = |at: u128| json!({ "name": "short", "scopes": ["workflows:read"], "expires_at": at });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    // Seconds where milliseconds are meant end long ago.
    admin.post("/api/v1/api-keys", &until(now / 1000 + 3600)).await.problem(422, "invalid_key");
    let short = admin.post("/api/v1/api-keys", &until(now + 1500)).await.expect(201);
    let short = with(&admin, &short["token"]);
    short.get("/api/v1/workflows").await.expect(200);
    eventually(async || short.get("/api/v1/workflows").await.status == 401).await;
    for bad in [json!({ "name": "", "scopes": ["runs:read"] }), json!({ "name": "x", "scopes": [] })] {
        admin.post("/api/v1/api-keys", &bad).await.problem(422, "invalid_key");
    }
    admin.post("/api/v1/api-keys", &json!({ "name": "x", "scopes": ["all"] })).await.problem(422, "invalid_body");

    // A key of somebody who may make keys with few scopes of their own hands on no more.
    let narrow = json!({ "name": "narrow", "scopes": ["people:manage"] });
    let narrow = with(&admin, &admin.post("/api/v1/api-keys", &narrow).await.expect(201)["token"]);
    narrow.post("/api/v1/api-keys", &body).await.problem(403, "forbidden");

    // Who loses a role, or leaves, takes their keys along.
    let second = json!({ "email": "b@local.example", "role": "admin", "password": PASSWORD });
    let second_id = admin.post("/api/v1/users", &second).await.expect(201)["id"].as_str().unwrap().to_owned();
    let second = served.signed_in("b@local.example").await;
    let theirs = second.post("/api/v1/api-keys", &body).await.expect(201);
    let theirs = with(&admin, &theirs["token"]);
    theirs.post("/api/v1/workflows/pure/runs", &json!({})).await.expect(201);
    let change = admin.request("PATCH", &format!("/api/v1/users/{second_id}")).json(&json!({ "role": "viewer" }));
    admin.send(change).await.expect(200);
    theirs.post("/api/v1/workflows/pure/runs", &json!({})).await.problem(403, "forbidden");
    theirs.get("/api/v1/workflows").await.expect(200);
    second.get("/api/v1/users").await.problem(403, "forbidden");
    admin.delete(&format!("/api/v1/users/{second_id}")).await.expect(204);
    theirs.get("/api/v1/workflows").await.problem(401, "unauthorized");
    second.get("/api/v1/workflows").await.problem(401, "unauthorized");

    let id = made["id"].as_str().unwrap();
    admin.delete(&format!("/api/v1/api-keys/{id}")).await.expect(204);
    key.get("/api/v1/workflows").await.problem(401, "unauthorized");
    admin.delete(&format!("/api/v1/api-keys/{id}")).await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_keeps_an_admin_and_an_address_has_one_person() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let id = admin.get("/api/v1/auth/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("/api/v1/users/{id}")).await.problem(409, "last_admin");
    let change = admin.request("PATCH", &format!("/api/v1/users/{id}")).json(&json!({ "role": "viewer" }));
    admin.send(change).await.problem(409, "last_admin");
    let again = json!({ "email": "ADMIN@local.example", "role": "viewer", "password": PASSWORD });
    admin.post("/api/v1/users", &again).await.problem(409, "email_taken");
    let other = served.person("other", Role::Admin).await;
    other.post("/api/v1/users", &again).await.problem(409, "email_taken");
    let odd = json!({ "email": "x@y", "role": "king", "password": PASSWORD });
    admin.post("/api/v1/users", &odd).await.problem(422, "invalid_body");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_set_and_never_told() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let path = "/api/v1/secrets/hook_token";
    let set = operator.request("PUT", path).json(&json!({ "value": "hunter2-and-more" }));
    let set = operator.send(set).await.expect(200);
    let listed = operator.get("/api/v1/secrets").await.expect(200);
    assert_eq!(listed["items"][0], set);
    assert!(!listed.to_string().contains("hunter2"));
    operator.get(path).await.problem(405, "method_not_allowed");
    let empty = operator.request("PUT", path).json(&json!({ "value": "" }));
    operator.send(empty).await.problem(422, "invalid_secret");
    let odd = operator.request("PUT", "/api/v1/secrets/No-Name").json(&json!({ "value": "x" }));
    operator.send(odd).await.problem(422, "invalid_name");
    operator.delete(path).await.expect(204);
    operator.delete(path).await.problem(404, "not_found");
    served.stop().await;
    let kept = std::fs::read(dir.path().join("sled/db")).unwrap();
    let plain = |needle: &[u8]| kept.windows(needle.len()).any(|window| window == needle);
    assert!(!plain(b"hunter2"), "a secret lies on the disk in the clear");
    assert!(!plain(PASSWORD.as_bytes()), "a password lies on the disk in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_all_sessions_but_the_one_that_it_gives() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.person("local", Role::Editor).await;
    let elsewhere = served.signed_in("editor@local.example").await;
    let change = async |current: &str, new: &str| {
        ada.post("/api/v1/auth/password", &json!({ "current": current, "new": new })).await
    };
    change("wrong horse battery", "another horse battery").await.problem(422, "wrong_password");
    change(PASSWORD, "short").await.problem(422, "invalid_user");
    elsewhere.get("/api/v1/auth/me").await.expect(200);

    let tokens = change(PASSWORD, "another horse battery").await.expect(200);
    let mut again = ada.clone();
    again.token = Some(tokens["access_token"].as_str().unwrap().to_owned());
    again.get("/api/v1/auth/me").await.expect(200);
    for ended in [&ada, &elsewhere] {
        ended.get("/api/v1/auth/me").await.problem(401, "unauthorized");
    }
    let login = async |password: &str| {
        let body = json!({ "email": "editor@local.example", "password": password });
        served.anonymous().post("/api/v1/auth/login", &body).await
    };
    login(PASSWORD).await.problem(401, "unauthorized");
    login("another horse battery").await.expect(200);
    served
        .anonymous()
        .post("/api/v1/auth/password", &json!({ "current": "x", "new": "y" }))
        .await
        .problem(401, "unauthorized");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_end_their_own_sessions_and_nobody_else_s() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let here = served.person("local", Role::Viewer).await;
    let there = served.signed_in("viewer@local.example").await;
    let sessions = here.get("/api/v1/auth/sessions").await.expect(200);
    let current: Vec<_> = sessions.as_array().unwrap().iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)]);
    let other = format!("/api/v1/auth/sessions/{}", sessions[1]["id"].as_str().unwrap());
    let stranger = served.person("local", Role::Admin).await;
    stranger.delete(&other).await.problem(404, "not_found");
    there.get("/api/v1/auth/me").await.expect(200);
    here.delete(&other).await.expect(204);
    there.get("/api/v1/auth/me").await.problem(401, "unauthorized");
    assert_eq!(here.get("/api/v1/auth/sessions").await.expect(200).as_array().unwrap().len(), 1);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_look_at_the_same_workflow_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let (ada, ben) = (served.person("local", Role::Editor).await, served.person("local", Role::Viewer).await);
    ada.create(PURE).await;
    let path = "/api/v1/workflows/pure/presence";
    let here = async |client: &Client, body: Value| client.post(path, &body).await.expect(200)["others"].clone();
    assert_eq!(here(&ada, json!({ "window": "w", "editing": true })).await, json!([]));
    let others = here(&ben, json!({ "window": "w" })).await;
    assert_eq!((&others[0]["name"], &others[0]["editing"]), (&json!("editor"), &json!(true)), "{others}");
    assert_eq!(here(&ada, json!({ "window": "w" })).await[0]["name"], "viewer");
    // Names tell nobody apart: the id does, and says which windows are one's own.
    let others = here(&ben, json!({ "window": "v" })).await;
    let who = |name: &str, key: &str| {
        others.as_array().unwrap().iter().find(|one| one["name"] == name).map(|one| one[key].clone())
    };
    assert_eq!((who("viewer", "own"), who("editor", "own")), (Some(json!(true)), Some(json!(false))), "{others}");
    let me = ben.get("/api/v1/auth/me").await.expect(200)["user"]["id"].clone();
    assert_eq!(who("viewer", "person"), Some(me));
    here(&ben, json!({ "window": "v", "leaving": true })).await;
    here(&ben, json!({ "window": "w", "leaving": true })).await;
    assert_eq!(here(&ada, json!({ "window": "w" })).await, json!([]));
    ada.post(path, &json!({ "window": "" })).await.problem(422, "invalid_body");
    served.person("other", Role::Editor).await.post(path, &json!({ "window": "w" })).await.problem(404, "not_found");
    served.stop().await;
}
