//! How often a run waits for the disk: once for each node with capabilities and once at its end, never for a pure node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_runtime::{Config, Runtime, Start, SystemClock};
use windflow_store::{Options, SledStore};
use windflow_testkit::host::ScriptedHost;

async fn check(nodes: &str, expect: u64) {
    let folder = tempfile::tempdir().unwrap();
    // Commits that nobody waits for would be counted too; none comes within a minute.
    let options = Options { commit_within: Duration::from_secs(60), ..Options::default() };
    let store = Arc::new(SledStore::open(folder.path(), options).unwrap());
    let config = Config::new(tokio::runtime::Handle::current());
    let runtime = Runtime::new(store.clone(), Arc::new(ScriptedHost::default()), Arc::new(SystemClock), config);
    let before = store.commits();
    let start = Start {
        organisation: OrganisationId::local(),
        document: format!("windflow: 1\nname: waits\nnodes:\n{nodes}"),
        inputs: Map::new(),
        extra_grants: Default::default(),
        started_by: "test".into(),
        children: Default::default(),
        pinned: std::collections::BTreeMap::new(),
        trace: None,
    };
    let run = runtime.start(start).unwrap().run;
    let report = runtime.wait(&RunKey { organisation: OrganisationId::local(), run }).await.unwrap();
    assert_eq!(report.status, "succeeded");
    assert_eq!(store.commits() - before, expect, "{nodes}");
}

#[tokio::test]
async fn pure_nodes_never_wait_for_the_disk() {
    let chain: String = (1..50).map(|i| format!("  n{i}: {{ uses: pure@1, needs: [n{}] }}\n", i - 1)).collect();
    check(&format!("  n0: {{ uses: pure@1 }}\n{chain}"), 1).await;
    check("  a: { uses: effect@1 }\n", 2).await;
    check(
        "  a: { uses: pure@1 }\n  b: { uses: effect@1, needs: [a] }\n  c: { uses: pure@1, needs: [b] }\n  d: { uses: effect@1, needs: [c] }\n",
        3,
    )
    .await;
}
