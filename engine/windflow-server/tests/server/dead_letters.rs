//! Runs that failed, until somebody looks after them; many runs at once; runs that are looked for.

use serde_json::{Value, json};
use windflow_core::id::OrganisationId;
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{Client, PURE, eventually, scripted, serve};

const FAILS: &str = "windflow: 1\nname: fails\nnodes:\n  bad: { uses: pure@1 }\n";

async fn runs(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(path).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["run"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_stays_until_somebody_looks_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Outcome::FailForGood;
    let served = serve(dir.path(), scripted(&[("bad", broken.clone())])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(FAILS).await;
    operator.create(PURE).await;
    let mut failed = Vec::new();
    for _ in 0..3 {
        let run = operator.start("fails", json!({})).await;
        operator.ended(&run).await;
        failed.push(run);
    }
    let good = operator.start("pure", json!({})).await;
    operator.ended(&good).await;
    // What somebody only tried is nobody's concern.
    let tried = operator.post("/api/v1/workflows/fails/nodes/bad/runs", &json!({})).await.expect(201);
    operator.ended(tried["run"].as_str().unwrap()).await;
    let letters = "/api/v1/dead-letters";
    eventually(async || runs(&operator, letters).await.len() == 3).await;
    failed.reverse();
    assert_eq!(runs(&operator, letters).await, failed, "the newest first");
    assert_eq!(runs(&operator, &format!("{letters}?workflow=pure")).await, Vec::<String>::new());
    let first = operator.get(&format!("{letters}?limit=1")).await.expect(200);
    assert_eq!(first["items"][0]["error"]["failure"]["message"], "as the script says", "{first}");
    let next = first["next"].as_str().unwrap();
    assert_eq!(runs(&operator, &format!("{letters}?limit=1&cursor={next}")).await, [failed[1].clone()]);

    // Looked for by their words, and by what started them.
    assert_eq!(runs(&operator, "/api/v1/runs?q=SCRIPT&trigger=user").await, failed);
    assert_eq!(runs(&operator, &format!("/api/v1/runs?q={}", &failed[2])).await, [failed[2].clone()]);
    assert_eq!(runs(&operator, "/api/v1/runs?trigger=webhook").await, Vec::<String>::new());
    let page = operator.get("/api/v1/runs?q=fails&limit=2").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let rest = format!("/api/v1/runs?q=fails&limit=2&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(runs(&operator, &rest).await.len(), 2);

    // Repeated, dismissed, and told once.
    let rerun = operator.post(&format!("/api/v1/runs/{}/rerun", failed[0]), &json!({})).await.expect(201);
    operator.ended(rerun["run"].as_str().unwrap()).await;
    operator.delete(&format!("{letters}/{}", failed[1])).await.expect(204);
    operator.delete(&format!("{letters}/{}", failed[1])).await.problem(404, "not_found");
    let repeated = rerun["run"].as_str().unwrap().to_owned();
    eventually(async || runs(&operator, letters).await == [repeated.clone(), failed[2].clone()]).await;
    served.stop().await;

    let served = serve(dir.path(), scripted(&[("bad", broken)])).await;
    let operator = served.signed_in("operator@local.example").await;
    let bulk = async |action: &str, runs: &[&str]| -> Value {
        operator.post("/api/v1/runs/bulk", &json!({ "action": action, "runs": runs })).await.expect(200)["results"]
            .clone()
    };
    let results = bulk("rerun", &[&failed[2], &repeated, "no-run"]).await;
    let again: Vec<_> = [0, 1].map(|at| results[at]["repeated_by"].as_str().unwrap().to_owned()).into();
    assert_eq!(results[2]["problem"]["code"], "not_found", "{results}");
    for run in &again {
        operator.ended(run).await;
    }
    eventually(async || runs(&operator, letters).await.len() == 2).await;
    let results = bulk("dismiss", &[&again[0], &again[1], &good]).await;
    assert_eq!((&results[1]["problem"], &results[2]["problem"]["status"]), (&json!(null), &json!(404)));
    assert_eq!(runs(&operator, letters).await, Vec::<String>::new());
    assert_eq!(bulk("cancel", &[&good]).await[0]["problem"]["code"], "run_ended");
    assert_eq!(bulk("delete", &[&good]).await[0]["problem"], json!(null));
    operator.get(&format!("/api/v1/runs/{good}")).await.problem(404, "not_found");

    // A run that is deleted is no concern any more, whether somebody looked after it or not.
    let last = operator.start("fails", json!({})).await;
    eventually(async || runs(&operator, letters).await == [last.clone()]).await;
    let records = served.records.clone().unwrap();
    let letters_kept = || records.scan(&OrganisationId::local(), "dead-letters/", None, 100).unwrap().items.len();
    let before = letters_kept();
    bulk("delete", &[&last, &again[0]]).await;
    assert_eq!((runs(&operator, letters).await, letters_kept()), (Vec::new(), before - 2));
    drop(records);
    operator.post("/api/v1/runs/bulk", &json!({ "action": "delete", "runs": [] })).await.problem(422, "invalid_body");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_that_could_not_be_undone_stays_until_somebody_looks_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("undo", Outcome::FailForGood)])).await;
    let operator = served.person("local", Role::Operator).await;
    for (name, undo) in [("stuck", "undo"), ("clean", "fine")] {
        let document = format!(
            "windflow: 1\nname: {name}\nnodes:\n  a: {{ uses: effect@1, compensate: {undo} }}\n  \
             ask: {{ uses: approval@1, needs: [a], with: {{ message: Go? }} }}\n  {undo}: {{ uses: effect@1 }}\n"
        );
        operator.create(&document).await;
        let run = operator.start(name, json!({})).await;
        let path = format!("/api/v1/runs/{run}");
        eventually(async || operator.get(&path).await.body["nodes"]["ask"]["status"] == "waiting").await;
        operator.post(&format!("{path}/cancel"), &json!({})).await;
        assert_eq!(operator.ended(&run).await["status"], "cancelled");
    }
    eventually(async || !runs(&operator, "/api/v1/dead-letters").await.is_empty()).await;
    let letters = operator.get("/api/v1/dead-letters").await.expect(200);
    let letter = &letters["items"][0];
    assert_eq!((&letter["workflow"], &letter["error"]["node"]), (&json!("stuck"), &json!("a")), "{letters}");
    assert_eq!(letter["error"]["failure"]["code"], "not_undone");
    assert_eq!(letters["items"].as_array().unwrap().len(), 1);
    served.stop().await;
}
