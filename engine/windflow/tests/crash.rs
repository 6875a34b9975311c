//! `kill -9` at random moments: no acknowledged run is lost, each ends after `resume`, each effect carries its one key.
//! A few dozen times; hundreds with `WINDFLOW_LONG=1`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Answer, Witness, windflow};
use serde_json::Value;

const WORKFLOW: &str = r#"
windflow: 1
name: crash
inputs: { server: { type: string }, tag: { type: string } }
permissions: { http: ["127.0.0.1:*"] }
nodes:
  first:
    uses: http@1
    with: { method: POST, url: "${{ inputs.server }}/first/${{ run.id }}", text: "${{ inputs.tag }}" }
    retry: { attempts: 3, initial: 10ms }
  between:
    uses: transform@1
    needs: [first]
    with: { input: "${{ inputs.tag }}", jq: ". + \"!\"" }
  left:
    uses: http@1
    with: { method: POST, url: "${{ inputs.server }}/left/${{ run.id }}", text: "${{ nodes.between.output }}" }
  right:
    uses: http@1
    with: { method: POST, url: "${{ inputs.server }}/right/${{ run.id }}", text: "${{ nodes.between.output }}" }
  last:
    uses: http@1
    needs: [left, right]
    with: { method: PUT, url: "${{ inputs.server }}/last/${{ run.id }}", text: done }
outputs: { tag: "${{ nodes.between.output }}" }
"#;

const EFFECTS: [&str; 4] = ["first", "left", "right", "last"];

/// SplitMix64: moments that are spread, and the same in every run of the test.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

#[test]
fn kill_9_loses_nothing() {
    let rounds = if std::env::var_os("WINDFLOW_LONG").is_some() { 400 } else { 36 };
    let witness = Witness::start(vec![Answer { after: Duration::from_millis(25), ..Answer::ok("ok") }]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, WORKFLOW).unwrap();
    let run = |tag: &str| {
        let mut command = windflow(&folder.path().join("data"));
        command.arg("run").arg(&file).args([
            "--quiet",
            "-i",
            &format!("server={}", witness.url()),
            "-i",
            &format!("tag={tag}"),
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };

    // Compiles the plugins once, then tells how long a run takes at least: machines are slow for moments.
    assert!(run("warm").status().unwrap().success());
    let timed = |_| {
        let begun = Instant::now();
        assert!(run("timed").status().unwrap().success());
        begun.elapsed()
    };
    let whole = (0..5).map(timed).min().unwrap();

    let mut seed = 42;
    let mut killed = 0;
    for round in 0..rounds {
        let mut child = run(&format!("round-{round}")).spawn().unwrap();
        let moment = whole.mul_f64((random(&mut seed) % 1000) as f64 / 1000.0);
        std::thread::sleep(moment);
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(killed > rounds / 2, "only {killed} of {rounds} were killed before they ended: the test proves too little");

    let acknowledged: BTreeSet<String> = witness.seen().iter().map(|seen| run_of(&seen.path)).collect();
    let resumed = windflow(&folder.path().join("data")).args(["runs", "resume", "--all", "--quiet"]).output().unwrap();
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));

    let listed =
        windflow(&folder.path().join("data")).args(["runs", "list", "--json", "--limit", "1000"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let ended: BTreeMap<String, String> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["run"].as_str().unwrap().to_owned(), run["status"].as_str().unwrap().to_owned()))
        .collect();
    for run in &acknowledged {
        assert_eq!(
            ended.get(run).map(String::as_str),
            Some("succeeded"),
            "run {run} had an effect and is lost or did not end"
        );
    }
    assert!(ended.values().all(|status| status == "succeeded"), "{ended:?}");

    let mut keys: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for seen in witness.seen() {
        let node = seen.path.split('/').nth(1).unwrap().to_owned();
        keys.entry((run_of(&seen.path), node)).or_default().insert(seen.key.expect("every effect carries a key"));
    }
    for run in ended.keys() {
        for node in EFFECTS {
            let keys = keys
                .get(&(run.clone(), node.to_owned()))
                .unwrap_or_else(|| panic!("{node} of run {run} never had its effect"));
            assert_eq!(keys.len(), 1, "{node} of run {run}: {keys:?}");
        }
    }
    let all: BTreeSet<_> = keys.values().flatten().collect();
    assert_eq!(all.len(), keys.len(), "no two node runs share a key");
    eprintln!("{rounds} rounds, {killed} killed, {} runs, {} requests", ended.len(), witness.seen().len());
}

fn run_of(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}
