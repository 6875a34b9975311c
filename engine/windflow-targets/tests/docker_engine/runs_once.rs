//! Containers that run once, and commands in those of a stack.

use std::time::Duration;

use serde_json::{Value, json};
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::store::BoxFuture;
use windflow_stacks::containers::{Ended, Exec, Once, OnceJob, Prune};
use windflow_stacks::driver::{Never, Result};
use windflow_stacks::project::Project;

use super::support::{Place, project};

fn once(asked: Value, of: Option<&Project>) -> Project {
    serde_json::from_value::<Once>(asked).unwrap().project(of).unwrap()
}

fn shell(script: &str) -> Project {
    once(json!({ "image": "stand-in:1", "command": ["sh", "-c", script] }), None)
}

async fn run_within(
    place: &Place,
    key: &str,
    project: &Project,
    seconds: u64,
    cancel: &dyn CancelSignal,
) -> Result<Ended> {
    place.with(seconds, cancel, async |on, with| on.run(&OnceJob { key, project }, with).await).await
}

async fn run(place: &Place, project: &Project) -> Result<Ended> {
    run_within(place, "a", project, 30, &Never).await
}

/// Cancelled after a while.
struct After(Duration);

impl CancelSignal for After {
    fn is_cancelled(&self) -> bool {
        false
    }
    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(self.0))
    }
}

/// Waits until it is so.
async fn until(is_so: impl Fn() -> bool) {
    while !tokio::task::block_in_place(&is_so) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Cancelled once it is so.
struct When<F>(F);

impl<F: Fn() -> bool + Send + Sync> CancelSignal for When<F> {
    fn is_cancelled(&self) -> bool {
        false
    }
    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(until(&self.0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_runs_to_its_end_and_is_gone() {
    let place = Place::new().await;
    let ended = run(&place, &shell("echo out; echo err >&2; echo more; exit 3")).await.unwrap();
    assert_eq!((ended.exit_code, ended.timed_out, ended.said.cut), (Some(3), false, false));
    assert_eq!((ended.said.stdout.as_str(), ended.said.output.len()), ("out\nmore\n", "out\nerr\nmore\n".len()));
    assert_eq!(place.lines.lock().unwrap().len(), 3);
    assert_eq!(place.containers(), "");

    // What is asked for is what it gets.
    let asked = json!({
        "image": "stand-in:1", "entrypoint": ["sh", "-c"], "command": ["echo $WHO; id -u; cat /proc/self/cwd/mark; test -w / || echo closed"],
        "environment": { "WHO": "me=$you" }, "working_dir": "/www", "user": "7", "read_only": true, "network_mode": "none",
        "limits": { "memory": "64m", "cpus": 0.5, "pids": 20 },
    });
    let ended = run(&place, &once(asked, None)).await.unwrap();
    assert!(ended.said.stdout.starts_with("me=$you\n7\n") && ended.said.stdout.ends_with("closed\n"), "{ended:?}");

    // What cannot be started leaves nothing, either.
    let error = run(&place, &once(json!({ "image": "stand-in:1", "command": ["/nosuch"] }), None)).await.unwrap_err();
    assert!(error.message.contains("/nosuch"), "{error:?}");
    let missing = once(json!({ "image": "nosuch:1", "pull": "never" }), None);
    assert_eq!(run(&place, &missing).await.unwrap_err().code, "image_missing");
    assert_eq!(place.containers(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_a_timeout_and_a_cancellation_are_bounded_and_leave_nothing() {
    let place = Place::new().await;
    let flood = "i=0; while test $i -lt 100000; do echo $i this is a line of a flood; i=$((i+1)); done; echo the end";
    let ended = run(&place, &shell(flood)).await.unwrap();
    assert!(ended.said.cut && ended.said.output.len() <= 256 << 10, "{}", ended.said.output.len());
    assert!(ended.said.output.ends_with("99999 this is a line of a flood\nthe end\n"));
    assert_eq!(place.lines.lock().unwrap().len(), 501);

    let ended = run_within(&place, "b", &shell("echo begun; sleep 1000"), 4, &Never).await.unwrap();
    assert_eq!((ended.exit_code, ended.timed_out, ended.said.output.as_str()), (None, true, "begun\n"));
    let after = After(Duration::from_secs(1));
    let error = run_within(&place, "c", &shell("echo begun; sleep 1000"), 60, &after).await.unwrap_err();
    assert_eq!(error.code, "cancelled");
    assert_eq!(place.containers(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_goes_on_and_is_done_once() {
    let place = Place::new().await;
    place.deployed("d1", "name: kept\nservices: { web: { image: \"stand-in:1\", volumes: [\"data:/data\"], command: sleep 1000, stop_signal: SIGKILL } }\nvolumes: { data: {} }\n").await;
    let kept = project(
        "name: kept\nservices: { web: { image: \"stand-in:1\", volumes: [\"data:/data\"] } }\nvolumes: { data: {} }\n",
    );
    let script = "echo once >>/data/done; sleep 2; echo ended; exit 5";
    let asked =
        json!({ "image": "stand-in:1", "command": ["sh", "-c", script], "stack": "kept", "volumes": ["data:/data"] });
    let project = once(asked, Some(&kept));
    for round in 0..4_u64 {
        // Dropped after so long: like a process that was killed.
        let cut = Duration::from_millis(50 + round * 400);
        let key = format!("cut-{round}");
        let _ = tokio::time::timeout(cut, run_within(&place, &key, &project, 30, &Never)).await;
        let ended = run_within(&place, &key, &project, 30, &Never).await.unwrap();
        assert_eq!((ended.exit_code, ended.said.output.as_str()), (Some(5), "ended\n"), "{round}");
        assert_eq!(place.containers(), "kept-web-1 running", "{round}");
    }
    let done = place.engine.docker(&["exec", "kept-web-1", "cat", "/data/done"]);
    assert_eq!(done, "once\nonce\nonce\nonce");

    // Nobody asks again: it is taken away once its time is over, and not before.
    let lost = shell("sleep 1000");
    tokio::select! {
        ended = run_within(&place, "lost", &lost, 60, &Never) => panic!("{ended:?}"),
        () = until(|| place.containers().contains("windflow-lost running")) => {}
    }
    let old = [
        "run",
        "--detach",
        "--name",
        "old",
        "--label",
        "dev.windflow.once=x",
        "--label",
        "dev.windflow.until=1",
        "stand-in:1",
    ];
    let _ = place.engine.docker(&old);
    let what = Prune { containers: true, ..Prune::default() };
    let pruned = place.with(30, &Never, async |on, _| on.prune(&what).await).await.unwrap();
    assert_eq!(pruned.lines, ["container old removed"]);
    assert!(place.containers().contains("windflow-lost running"), "{}", place.containers());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_cut_off_is_ended_before_it_begins_anew() {
    let place = Place::new().await;
    let text = "name: one\nservices: { web: { image: \"stand-in:1\", command: sleep 1000, stop_signal: SIGKILL } }\n";
    place.deployed("d1", text).await;
    let script = "test -f /tmp/go && { echo done; exit 0; }; sleep 61 & sleep 62";
    let wanted: Exec =
        serde_json::from_value(json!({ "stack": "one", "service": "web", "command": ["sh", "-c", script] })).unwrap();
    let exec = async |key: &str| place.with(30, &Never, async |on, with| on.exec(key, &wanted, with).await).await;
    let sleeping = |seconds: u32| {
        let running = place.engine.docker(&["top", "one-web-1", "-eo", "pid,args"]);
        let args = running.lines().filter_map(|line| Some(line.trim().split_once(' ')?.1.trim()));
        args.filter(|args| *args == format!("sleep {seconds}")).count()
    };
    // Dropped in the middle: like a process that was killed.
    for (key, count) in [("mine", 1), ("other", 2)] {
        tokio::select! {
            ended = exec(key) => panic!("{ended:?}"),
            () = until(|| (sleeping(61), sleeping(62)) == (count, count)) => {}
        }
    }
    let _ = place.engine.docker(&["exec", "one-web-1", "touch", "/tmp/go"]);
    let ended = exec("mine").await.unwrap();
    assert_eq!((ended.exit_code, ended.said.output.as_str()), (Some(0), "done\n"));
    assert_eq!((sleeping(61), sleeping(62)), (1, 1), "what something else has begun goes on");
    exec("other").await.unwrap();
    assert_eq!((sleeping(61), sleeping(62), sleeping(1000)), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_in_a_service_of_a_stack() {
    let place = Place::new().await;
    let text = "name: two\nservices: { web: { image: \"stand-in:1\", command: sleep 1000, stop_signal: SIGKILL, deploy: { replicas: 2 } }, done: { image: \"stand-in:1\", command: \"true\" } }\n";
    place.deployed("d1", text).await;
    let exec = async |asked: Value, seconds, cancel: &dyn CancelSignal| {
        let mut full = json!({ "stack": "two", "service": "web", "command": ["hostname"] });
        full.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let wanted: Exec = serde_json::from_value(full).unwrap();
        place.with(seconds, cancel, async |on, with| on.exec("one", &wanted, with).await).await
    };
    let second = exec(json!({ "number": 2 }), 10, &Never).await.unwrap();
    let id = place.engine.docker(&["inspect", "two-web-2", "--format", "{{.Config.Hostname}}"]);
    assert_eq!((second.exit_code, second.said.output.trim()), (Some(0), id.as_str()));
    let script = "echo $WHO; cat /nosuch; exit 4";
    let asked =
        json!({ "command": ["sh", "-c", script], "environment": { "WHO": "me" }, "working_dir": "/tmp", "user": "7" });
    let failed = exec(asked, 10, &Never).await.unwrap();
    assert_eq!((failed.exit_code, failed.said.stdout.as_str()), (Some(4), "me\n"));
    assert!(failed.said.output.contains("nosuch"));
    // What takes too long, or is wanted no more, is ended with all that it has begun, whoever it runs as; nothing else is.
    let running = || place.engine.docker(&["top", "two-web-1", "-eo", "pid,args"]);
    let others = running();
    for user in ["root", "7"] {
        let asked = json!({ "command": ["sh", "-c", "sleep 31 & (sleep 32 & sleep 33)"], "user": user, "environment": { "TEXT": "two\nlines" } });
        let slow = exec(asked.clone(), 3, &Never).await.unwrap();
        assert!(slow.timed_out && slow.exit_code.is_none() && !slow.still_runs);
        assert_eq!(running(), others);
        let error = exec(asked, 60, &When(|| running().contains("sleep 33"))).await.unwrap_err();
        assert!(error.code == "cancelled" && error.message.contains("were ended"), "{error:?}");
        assert_eq!(running(), others);
    }
    for (asked, code) in [
        (json!({ "service": "nosuch" }), "unknown_service"),
        (json!({ "stack": "other" }), "unknown_service"),
        (json!({ "number": 9 }), "not_running"),
        (json!({ "service": "done" }), "not_running"),
        (json!({ "command": ["/nosuch"] }), "no_such_command"),
    ] {
        let error = exec(asked.clone(), 10, &Never).await.unwrap_err();
        assert_eq!(error.code, code, "{asked}: {error:?}");
    }
    let facts = place.with(10, &Never, async |on, _| on.containers_of("two", Some("web")).await).await.unwrap();
    assert_eq!(facts.len(), 2);
    assert_eq!((facts[1].name.as_str(), facts[1].state.as_str(), facts[1].exit_code), ("two-web-2", "running", None));
    // Where nothing can end it, that is said.
    let _ = place.engine.docker(&["exec", "two-web-1", "rm", "/bin/sh"]);
    let slow = exec(json!({ "command": ["sleep", "34"] }), 1, &Never).await.unwrap();
    assert!(slow.timed_out && slow.still_runs);
    assert!(place.lines.lock().unwrap().iter().any(|line| line.contains("may still run")));
    assert!(running().contains("sleep 34"));
}
