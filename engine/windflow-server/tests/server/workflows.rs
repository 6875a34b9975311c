//! Workflows as text: nothing of it is lost, nobody's change is.

use serde_json::json;
use windflow_server::Role;

use crate::support::{PURE, scripted, serve};

#[tokio::test(flavor = "multi_thread")]
async fn text_comes_back_as_it_was_written_and_every_change_is_a_version() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let text = format!("# with a comment\r\n{PURE}\n\n# and a foot");
    let created = editor.yaml("POST", "/api/v1/workflows", &text, None).await;
    assert_eq!(created.header("location"), "/api/v1/workflows/pure");
    let first_tag = created.header("etag").to_owned();
    let view = created.expect(201);
    assert_eq!((&view["version"], &view["enabled"]), (&json!(1), &json!(false)));
    assert_eq!(view["created_by"], "user:editor@local.example");

    let read = editor.get("/api/v1/workflows/pure/document").await;
    assert_eq!((read.header("content-type"), read.header("etag")), ("application/yaml", first_tag.as_str()));
    assert_eq!(read.body, json!(text));
    let same = editor.request("GET", "/api/v1/workflows/pure/document").header("if-none-match", &first_tag);
    assert_eq!(editor.send(same).await.status, 304);

    let second = text.replace("comment", "better comment");
    let replaced = editor.yaml("PUT", "/api/v1/workflows/pure/document", &second, Some(&first_tag)).await;
    let second_tag = replaced.header("etag").to_owned();
    assert_eq!(replaced.expect(200)["version"], 2);
    assert_ne!(first_tag, second_tag);

    let versions = editor.get("/api/v1/workflows/pure/versions?limit=1").await.expect(200);
    assert_eq!(versions["items"][0]["version"], 1);
    let next = versions["next"].as_str().unwrap();
    let versions = editor.get(&format!("/api/v1/workflows/pure/versions?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&versions["items"][0]["version"], &versions["next"]), (&json!(2), &json!(null)));
    assert_eq!(editor.get("/api/v1/workflows/pure/versions/1").await.expect(200)["text"], json!(text));
    editor.get("/api/v1/workflows/pure/versions/3").await.problem(404, "not_found");

    // The same text again is no new version.
    let same = editor.yaml("PUT", "/api/v1/workflows/pure/document", &second, Some(&second_tag)).await;
    assert_eq!(same.expect(200)["version"], 2);
    served.stop().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    let read = editor.get("/api/v1/workflows/pure/document").await;
    assert_eq!((read.header("etag"), &read.body), (second_tag.as_str(), &json!(second)));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_the_same_do_not_overwrite_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let tag = editor.yaml("POST", "/api/v1/workflows", PURE, None).await.header("etag").to_owned();
    let path = "/api/v1/workflows/pure/document";
    editor.yaml("PUT", path, PURE, None).await.problem(428, "if_match_required");
    let ours = PURE.replace("default: 1", "default: 2");
    editor.yaml("PUT", path, &ours, Some(&tag)).await.expect(200);
    let theirs = PURE.replace("default: 1", "default: 3");
    let problem = editor.yaml("PUT", path, &theirs, Some(&tag)).await.problem(412, "changed_meanwhile");
    assert!(problem["detail"].as_str().unwrap().contains("editor@local.example"));
    assert_eq!(editor.get(path).await.body, json!(ours));
    editor.yaml("PUT", path, &theirs, Some("\"nonsense\"")).await.problem(412, "changed_meanwhile");
    editor.yaml("PUT", path, &theirs, Some("*")).await.expect(200);

    let stale = editor.request("DELETE", "/api/v1/workflows/pure").header("if-match", &tag);
    editor.send(stale).await.problem(412, "changed_meanwhile");
    editor.delete("/api/v1/workflows/pure").await.expect(204);
    editor.get("/api/v1/workflows/pure").await.problem(404, "not_found");
    editor.delete("/api/v1/workflows/pure").await.problem(404, "not_found");
    // A new one of the same name goes on counting: no version ever means two texts.
    assert_eq!(editor.create(PURE).await["version"], 4);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_place_and_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let broken = "windflow: 1\nname: a\ntriggers:\n  t: { uses: cron, with: { schedule: \"99 * * * *\" } }\nnodes:\n  x: { uses: puer@1 }\n";
    let problem = editor.yaml("POST", "/api/v1/workflows", broken, None).await.problem(422, "invalid_workflow");
    let found: Vec<_> = problem["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["code"].as_str().unwrap(), problem["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, [("invalid_schedule", 4), ("unknown_node_type", 6)], "{problem}");
    assert!(problem["problems"][1]["remedy"].as_str().unwrap().contains("pure"));
    assert_eq!(editor.get("/api/v1/workflows").await.expect(200)["items"], json!([]));

    let validated = editor.yaml("POST", "/api/v1/validate", broken, None).await.expect(200);
    assert_eq!((&validated["valid"], validated["problems"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!(
        editor.yaml("POST", "/api/v1/validate", PURE, None).await.expect(200),
        json!({ "valid": true, "problems": [], "reach": [] })
    );

    editor.create(PURE).await;
    editor.yaml("POST", "/api/v1/workflows", PURE, None).await.problem(409, "workflow_exists");
    let renamed = PURE.replace("name: pure", "name: other");
    editor.yaml("PUT", "/api/v1/workflows/pure/document", &renamed, Some("*")).await.problem(422, "name_differs");
    editor.yaml("PUT", "/api/v1/workflows/other/document", &renamed, Some("*")).await.problem(404, "not_found");

    let json = editor.post("/api/v1/workflows", &json!({})).await;
    json.problem(415, "unsupported_media_type");
    let no_text =
        editor.request("POST", "/api/v1/workflows").header("content-type", "application/yaml").body(vec![0xff, 0xfe]);
    editor.send(no_text).await.problem(400, "invalid_text");
    let long = format!("{PURE}# {}\n", "x".repeat(3 << 20));
    editor.yaml("POST", "/api/v1/workflows", &long, None).await.problem(413, "too_large");
    for path in [
        "/api/v1/workflows/NO",
        "/api/v1/workflows/a%2Fb",
        "/api/v1/workflows/pure/versions/x",
        "/api/v1/nothing",
        "/nothing",
    ] {
        editor.get(path).await.problem(404, "not_found");
    }
    editor.get("/api/v1/workflows?limit=0").await.problem(400, "invalid_query");
    editor.get("/api/v1/workflows?limit=x").await.problem(400, "invalid_query");
    for cursor in ["%00", "", "0", "_w"] {
        editor.get(&format!("/api/v1/workflows?cursor={cursor}")).await.problem(400, "invalid_cursor");
    }
    editor.delete("/api/v1/workflows").await.problem(405, "method_not_allowed");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    for number in 0..7 {
        editor.create(&PURE.replace("name: pure", &format!("name: pure-{number}"))).await;
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = editor.get(&format!("/api/v1/workflows?limit=3{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, (0..7).map(|number| format!("pure-{number}")).collect::<Vec<_>>());
    let all = editor.get("/api/v1/node-types").await.expect(200);
    let uses = |page: &serde_json::Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["uses"].as_str().unwrap().to_owned()).collect()
    };
    // Those of the engine itself are among them.
    assert!(["effect@1", "pure@1", "wait@1"].iter().all(|expect| uses(&all).contains(&(*expect).to_owned())), "{all}");
    let types = editor.get("/api/v1/node-types?limit=2").await.expect(200);
    let next = types["next"].as_str().unwrap();
    let rest = editor.get(&format!("/api/v1/node-types?cursor={next}")).await.expect(200);
    assert_eq!([uses(&types), uses(&rest)].concat(), uses(&all));
    let shown = editor.get("/api/v1/node-types/pure@1").await.expect(200);
    assert_eq!((&shown["pure"], shown["config"].is_null()), (&json!(true), false));
    editor.get("/api/v1/node-types/nothing@1").await.problem(404, "not_found");
    assert!(editor.get("/api/v1/workflow-schema").await.expect(200)["$defs"].is_object());
    served.stop().await;
}
