use std::time::Duration;

use windflow_core::ports::store::BoxFuture;
use windflow_stacks::driver::{Action, Driver, LogQuery, Verdict};
use windflow_stacks::plan::Change;

use super::support::{Place, free_port, get, project, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_comes_up_in_order_and_only_what_changes_is_touched() {
    let place = Place::new().await;
    let port = free_port();
    let outcome = place.deployed("d1", &shop(1, port)).await;
    assert_eq!(outcome.plan.summary(), "4 created");
    assert_eq!(get(port).as_deref(), Some("version 1"));
    let done = place.done();
    let at = |what: &str| done.iter().position(|found| found == what).unwrap_or_else(|| panic!("{what}: {done:?}"));
    assert!(at("db healthy") < at("web creating") && at("web creating") < at("web healthy"), "{done:?}");

    // The same again changes nothing.
    let before = place.seen("shop").await;
    let again = place.deploy("d2", &project(&shop(1, port))).await.unwrap();
    assert_eq!(again.verdict, Verdict::Unchanged);
    assert_eq!(place.seen("shop").await.containers.len(), before.containers.len());
    assert!(place.seen("shop").await.containers.iter().zip(&before.containers).all(|(now, then)| now.id == then.id));

    // Another version of one service leaves the other alone.
    let planned = place.target.plan(&project(&shop(2, port))).await.unwrap();
    assert_eq!(planned.service("web").unwrap().why, "its image was stand-in:1");
    assert_eq!(planned.service("db").unwrap().change, Change::Unchanged);
    place.deployed("d3", &shop(2, port)).await;
    assert_eq!(get(port).as_deref(), Some("version 2"));
    let db = |seen: &windflow_stacks::plan::Observed| {
        seen.containers.iter().find(|found| found.service == "db").unwrap().id.clone()
    };
    assert_eq!(db(&place.seen("shop").await), db(&before));
    assert_eq!(place.running("shop").await, ["shop-db-1", "shop-web-1"]);

    // What the stack has no more goes, its volume stays.
    let alone = "name: shop\nservices: { web: { image: stand-in:1 } }\n";
    place.deployed("d4", alone).await;
    assert_eq!(place.running("shop").await, ["shop-web-1"]);
    let seen = place.seen("shop").await;
    assert!(seen.volumes.contains_key("shop_data") && seen.networks.contains_key("shop_default"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_scaled_stopped_started_and_removed() {
    let place = Place::new().await;
    let queue = |replicas: u32| {
        project(&format!(
            "name: jobs\nservices:\n  worker: {{ image: \"stand-in:1\", command: sleep 1000, stop_signal: SIGKILL, volumes: [\"work:/data\"], deploy: {{ replicas: {replicas} }} }}\nvolumes: {{ work: {{}} }}\n"
        ))
    };
    place.deploy("d1", &queue(1)).await.unwrap();
    let first = place.seen("jobs").await.containers[0].id.clone();
    let outcome = place.deploy("d2", &queue(3)).await.unwrap();
    assert_eq!(outcome.plan.service("worker").unwrap().why, "1 of 3 are there");
    assert_eq!(place.running("jobs").await, ["jobs-worker-1", "jobs-worker-2", "jobs-worker-3"]);
    assert_eq!(place.seen("jobs").await.containers[0].id, first, "those that run go on running");
    place.deploy("d3", &queue(2)).await.unwrap();
    assert_eq!(place.running("jobs").await, ["jobs-worker-1", "jobs-worker-2"]);

    let act = async |action: Action| place.target.act("jobs", &[], &action, &|_| ()).await.unwrap();
    act(Action::Stop).await;
    assert!(place.running("jobs").await.is_empty());
    act(Action::Start).await;
    assert_eq!(place.running("jobs").await.len(), 2);
    let unknown = place.target.act("jobs", &["nosuch".into()], &Action::Stop, &|_| ()).await.unwrap_err();
    assert_eq!(unknown.code, "unknown_service");

    let done = act(Action::Remove { volumes: false }).await;
    assert!(done.contains(&"volume jobs_work stays".to_owned()), "{done:?}");
    let left = place.seen("jobs").await;
    assert!(left.containers.is_empty() && left.networks.is_empty() && left.volumes.len() == 1);
    act(Action::Remove { volumes: true }).await;
    assert!(place.seen("jobs").await.volumes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_get_what_the_document_says() {
    let place = Place::new().await;
    let text = r#"
name: kit
x-windflow: { variables: { KEY: { type: password, default: "s3cret-" } } }
services:
  prepare: { image: "stand-in:1", command: touch /data/prepared, volumes: ["data:/data"] }
  app:
    image: stand-in:1
    entrypoint: ["sh", "-c"]
    command: ["cat /run/secrets/key /etc/motd; echo; echo $$WHO; hostname; id -u; ls /data; ls /scratch; exec sleep 1000"]
    environment: { WHO: "me=you" }
    hostname: box
    user: "7:7"
    stop_signal: SIGKILL
    secrets: [{ source: key, uid: "7", mode: 0400 }]
    configs: [{ source: motd, target: /etc/motd }]
    volumes: ["data:/data:ro", { type: tmpfs, target: /scratch, tmpfs: { size: 1m } }]
    networks: { front: { aliases: [shop] }, back: }
    depends_on: { prepare: { condition: service_completed_successfully } }
    deploy: { resources: { limits: { memory: 64m, cpus: "0.5", pids: 20 } } }
    labels: { team: blue }
volumes: { data: {} }
networks: { front: {}, back: { internal: true } }
secrets: { key: { environment: KEY } }
configs: { motd: { content: "welcome" } }
"#;
    place.deployed("d1", text).await;
    let lines = std::sync::Mutex::new(Vec::new());
    let hear = |line: windflow_stacks::driver::LogLine| -> BoxFuture<'_, bool> {
        lines.lock().unwrap().push(line.text);
        Box::pin(std::future::ready(true))
    };
    let query = LogQuery { services: vec!["app".into()], ..LogQuery::default() };
    place.target.logs("kit", &query, &hear).await.unwrap();
    let unknown = LogQuery { services: vec!["nosuch".into()], ..LogQuery::default() };
    let error = place.target.logs("kit", &unknown, &hear).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.remedy.as_deref()), ("unknown_service", Some("there are `app`, `prepare`")));
    assert_eq!(*lines.lock().unwrap(), ["s3cret-welcome", "me=you", "box", "7", "prepared"]);
    let inspect = |format: &str| place.engine.docker(&["inspect", "kit-app-1", "--format", format]);
    assert_eq!(
        inspect("{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"),
        "67108864 500000000 20"
    );
    assert_eq!(inspect("{{len .NetworkSettings.Networks}} {{.Config.Labels.team}}"), "2 blue");
    // What has done its work is not done again.
    let again = place.deploy("d2", &project(text)).await.unwrap();
    assert_eq!(again.verdict, Verdict::Unchanged, "{:#?}", again.plan);
    let facts = place.target.facts().await.unwrap();
    assert!(facts.engine.starts_with("Docker ") && facts.running == 1 && facts.cpus > 0, "{facts:?}");
}

/// A line that a container wrote, once it has.
struct Heard(tokio::sync::mpsc::UnboundedReceiver<String>);

impl Heard {
    async fn next(&mut self) -> Option<String> {
        tokio::time::timeout(Duration::from_secs(30), self.0.recv()).await.expect("something is told within 30 s")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_on_over_restarts_and_with_what_begins_later() {
    let place = Place::new().await;
    let text = |replicas: u32| {
        format!(
            "name: talk\nservices: {{ worker: {{ image: \"stand-in:1\", command: sh -c \"echo begun; exec sleep 1000\", stop_signal: SIGKILL, deploy: {{ replicas: {replicas} }} }} }}\n"
        )
    };
    place.deployed("d1", &text(1)).await;
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let target = place.target.clone();
    let following = tokio::spawn(async move {
        let hear = |line: windflow_stacks::driver::LogLine| -> BoxFuture<'_, bool> {
            let sent = tell.send(format!("{}#{} {}", line.service, line.number, line.text)).is_ok();
            Box::pin(std::future::ready(sent))
        };
        let query = LogQuery { tail: Some(10), follow: true, ..LogQuery::default() };
        target.logs("talk", &query, &hear).await
    });
    let mut heard = Heard(told);
    assert_eq!(heard.next().await.unwrap(), "worker#1 begun");
    place.deployed("d2", &text(2)).await;
    assert_eq!(heard.next().await.unwrap(), "worker#2 begun", "what begins later is heard, too");
    let _ = place.engine.docker(&["restart", "talk-worker-1"]);
    assert_eq!(heard.next().await.unwrap(), "worker#1 begun", "once more, and nothing twice");
    let _ = place.engine.docker(&["exec", "talk-worker-1", "sh", "-c", "echo later >/proc/1/fd/1"]);
    assert_eq!(heard.next().await.unwrap(), "worker#1 later");
    let _ = place.engine.docker(&["kill", "talk-worker-1", "talk-worker-2"]);
    assert_eq!(heard.next().await, None, "it ends where nothing of it runs any more");
    following.await.unwrap().unwrap();
}
