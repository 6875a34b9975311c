//! Components that were built against released versions of the contract run as they did.

use std::path::Path;

use serde_json::Value;

use crate::support::{Attempt, host};

#[tokio::test]
async fn components_of_every_released_version_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/released");
    let mut seen = 0;
    for release in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for path in std::fs::read_dir(release).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|ending| ending == "wasm") {
                check(&path).await;
                seen += 1;
            }
        }
    }
    assert!(seen >= 2, "{seen}");
}

async fn check(path: &Path) {
    let shown = path.display();
    let expected: Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
    let host = host();
    let (uses, installed) = host.install(std::fs::read(path).unwrap()).unwrap().remove(0);
    assert_eq!(expected["pure"], installed.pure, "{shown}");
    let mut attempt = Attempt::of(&uses.name).config(&expected["config"].to_string());
    attempt.ports = vec![expected["port"].as_str().unwrap().parse().unwrap()];
    let emission = attempt.run(&host).await.unwrap_or_else(|failure| panic!("{shown}: {failure}"));
    assert_eq!(emission.output.value(), &expected["output"], "{shown}");
    let heard = attempt.heard.lines.lock().unwrap();
    let lines: Vec<&str> = heard.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(expected["log"], serde_json::json!(lines), "{shown}");
}
