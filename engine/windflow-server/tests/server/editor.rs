//! What the web editor stands on: its own files, signing in by cookie, what lists and dashboards show.

use serde_json::{Value, json};
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{PASSWORD, PURE, SLOW, scripted, serve};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_at_every_address_that_is_no_program_s() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let anybody = served.anonymous();
    let page = anybody.get("/").await;
    assert_eq!(page.status, 200, "{}: the editor is built by `make editor`", page.body);
    assert!(page.body.as_str().unwrap().contains("<div id=\"app\">"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert_eq!(page.header("cache-control"), "no-cache");
    let html = |path: &str| anybody.request("GET", path).header("accept", "text/html,*/*");
    let deep = anybody.send(html("/workflows/a/b")).await;
    assert_eq!((deep.status, &deep.body), (200, &page.body));
    let again = anybody.send(html("/").header("if-none-match", page.header("etag"))).await;
    assert_eq!(again.status, 304);

    // The reference of the API brings along all that it shows.
    let reference = anybody.send(html("/api/docs")).await;
    assert_eq!(reference.status, 200, "{}", reference.body);
    for part in reference.body.as_str().unwrap().split('"').filter(|part| part.starts_with("/api-docs/")) {
        let file = anybody.get(part).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(file.header("content-security-policy").contains("script-src 'self'"));
    }

    // The very files that the page names, packed as the client likes.
    let text = page.body.as_str().unwrap();
    let script = text.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).expect("a script");
    let plain = anybody.get(script).await;
    assert_eq!((plain.status, plain.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(plain.header("cache-control").contains("immutable"));
    for encoding in ["br", "gzip"] {
        let packed = anybody.request("GET", script).header("accept-encoding", encoding);
        let packed = packed.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], encoding);
        assert!(packed.bytes().await.unwrap().len() < plain.body.as_str().unwrap().len());
    }

    for path in ["/api/v1/nothing", "/hooks/local", "/callbacks/x", "/assets/nothing.js", "/../Cargo.toml"] {
        anybody.get(path).await.problem(404, "not_found");
    }
    anybody.send(html("/api/v1/nothing")).await.problem(404, "not_found");
    anybody.post("/workflows", &json!({})).await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_its_refresh_token_where_no_script_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let anybody = served.anonymous();
    assert_eq!(anybody.get("/api/v1/auth/state").await.expect(200), json!({ "setup_needed": true }));
    let owner =
        json!({ "token": served.setup_token, "email": "ada@example.org", "password": PASSWORD, "cookie": true });
    let made = anybody.post("/api/v1/auth/setup", &owner).await;
    assert_eq!(anybody.get("/api/v1/auth/state").await.expect(200), json!({ "setup_needed": false }));
    let cookie = made.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(made.expect(201).get("refresh_token").is_none());
    let pair = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    let ask = |path: &str, cookie: &str| {
        anybody.send(anybody.request("POST", path).header("cookie", pair(cookie)).json(&json!({})))
    };
    let renewed = ask("/api/v1/auth/refresh", &cookie).await;
    let second = renewed.header("set-cookie").to_owned();
    assert!(renewed.expect(200)["access_token"].is_string());
    assert_ne!(pair(&second), pair(&cookie));
    let ended = ask("/api/v1/auth/logout", &second).await;
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    ended.expect(204);
    ask("/api/v1/auth/refresh", &second).await.problem(401, "unauthorized");
    anybody.post("/api/v1/auth/refresh", &json!({})).await.problem(401, "unauthorized");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_dashboards_say_how_runs_went() {
    let dir = tempfile::tempdir().unwrap();
    let failing = Outcome::FailForGood;
    let served = serve(dir.path(), scripted(&[("slow", failing)])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    editor.create(SLOW).await;
    for workflow in ["pure", "pure", "slow"] {
        let run = editor.start(workflow, json!({})).await;
        editor.ended(&run).await;
    }
    let statistics = editor.get("/api/v1/statistics").await.expect(200);
    assert_eq!(statistics["total"], json!({ "succeeded": 2, "failed": 1, "cancelled": 0, "running": 0 }));
    assert_eq!(statistics["complete"], true);
    let stretches = statistics["stretches"].as_array().unwrap();
    assert_eq!(stretches.len(), 24);
    let sum = |key: &str| stretches.iter().map(|stretch| stretch[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("succeeded"), sum("failed")), (2, 1));
    let busiest = &statistics["workflows"][0];
    assert_eq!((&busiest["workflow"], &busiest["succeeded"]), (&json!("pure"), &json!(2)));
    assert!(busiest["median"].is_u64() && busiest["p95"].is_u64());
    let elsewhere = served.person("elsewhere", Role::Viewer).await;
    assert_eq!(elsewhere.get("/api/v1/statistics").await.expect(200)["total"]["succeeded"], 0);
    for bad in ["?step=1", "?since=5&until=5", "?since=0", "?since=x"] {
        assert_eq!(editor.get(&format!("/api/v1/statistics{bad}")).await.status, 400, "{bad}");
    }

    let listed = editor.get("/api/v1/workflows?q=SLO").await.expect(200);
    let names: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|workflow| &workflow["name"]).collect();
    assert_eq!(names, ["slow"]);
    assert_eq!(listed["items"][0]["last_run"]["status"], "failed");
    let run = listed["items"][0]["last_run"]["run"].as_str().unwrap();
    let text = editor.get(&format!("/api/v1/runs/{run}/document")).await;
    assert_eq!((text.status, text.body.as_str()), (200, Some(SLOW)));
    elsewhere.get(&format!("/api/v1/runs/{run}/document")).await.problem(404, "not_found");
    served.stop().await;
}
