//! What starts runs, all of an organisation at once.

use serde_json::{Value, json};
use windflow_server::Role;

use crate::support::{Client, eventually, scripted, serve};

fn workflow(name: &str, triggers: &str) -> String {
    format!("windflow: 1\nname: {name}\n{triggers}nodes:\n  a: {{ uses: pure@1 }}\n")
}

/// The whole list in pages of so many, as `workflow/trigger`.
async fn pages(client: &Client, limit: usize, filter: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/v1/triggers?limit={limit}{cursor}{filter}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit && (!items.is_empty() || all.is_empty()), "{page}");
        let place = |item: &Value| format!("{}/{}", item["workflow"].as_str().unwrap(), item["name"].as_str().unwrap());
        all.extend(items.iter().map(place));
        let Some(next) = page["next"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_triggers_are_listed_in_pages_with_when_they_fire() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    assert_eq!(operator.get("/api/v1/triggers").await.expect(200), json!({ "items": [], "next": null }));
    let several = "triggers:\n  hook: { uses: webhook, with: { path: knock, auth: none } }\n  daily: { uses: cron, with: { schedule: \"0 6 * * *\" } }\n  \
        told: { uses: event, with: { name: order.* } }\n";
    operator.create(&workflow("several", several)).await;
    operator.create(&workflow("none", "")).await;
    operator.create(&workflow("other", "triggers:\n  hourly: { uses: cron, with: { schedule: \"@hourly\" } }\n")).await;
    operator.post("/api/v1/workflows/several/enable", &json!({})).await.expect(200);

    let all = ["other/hourly", "several/daily", "several/hook", "several/told"];
    for limit in [1, 2, 3, 4, 50] {
        assert_eq!(pages(&operator, limit, "").await, all, "in pages of {limit}");
    }
    assert_eq!(pages(&operator, 1, "&uses=cron").await, ["other/hourly", "several/daily"]);
    assert_eq!(pages(&operator, 1, "&enabled=true").await, all[1..]);
    assert_eq!(pages(&operator, 1, "&enabled=false&uses=webhook").await, Vec::<String>::new());
    for bad in ["cursor=abc", "limit=0", "enabled=perhaps"] {
        assert_eq!(operator.get(&format!("/api/v1/triggers?{bad}")).await.status, 400, "{bad}");
    }

    // Once they have fired they tell so.
    let anybody = served.anonymous();
    let knocked = anybody.post("/hooks/local/knock", &json!({})).await.expect(202);
    operator.post("/api/v1/events", &json!({ "name": "order.placed" })).await;
    let listed = async || operator.get("/api/v1/triggers").await.expect(200)["items"].clone();
    eventually(async || listed().await[3]["last_fired"].is_u64()).await;
    let told = listed().await;
    assert_eq!(told[2]["last_run"], knocked["run"]);
    assert_eq!((&told[2]["path"], &told[2]["enabled"]), (&json!("/hooks/local/knock"), &json!(true)));
    assert!(told[2]["last_fired"].is_u64(), "{told}");
    assert_eq!(told[3]["event"], "order.*");
    assert_eq!(told[1]["next"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&told[0]["enabled"], &told[0]["next"], &told[0]["last_fired"]),
        (&json!(false), &json!(null), &json!(null))
    );

    // Whoever may not see runs does not learn of them here.
    let key = served.person("local", Role::Admin).await;
    let made = key.post("/api/v1/api-keys", &json!({ "name": "x", "scopes": ["workflows:read"] })).await.expect(201);
    let narrow = Client { token: Some(made["token"].as_str().unwrap().to_owned()), ..key };
    for item in narrow.get("/api/v1/triggers").await.expect(200)["items"].as_array().unwrap() {
        assert!(item["last_fired"].is_null() && item["last_run"].is_null(), "{item}");
    }
    let stranger = served.person("other", Role::Admin).await;
    assert_eq!(stranger.get("/api/v1/triggers").await.expect(200)["items"], json!([]));
    served.stop().await;
}
