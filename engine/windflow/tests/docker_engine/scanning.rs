//! The workflow that has Trivy look at images, on a real engine: a stand-in finds what the names of images say.

use std::path::Path;

use serde_json::{Value, json};

use super::{Place, path, stderr};

#[test]
fn what_is_found_fails_the_run_until_it_is_mended_or_accepted() {
    let place = Place::new();
    place.engine.stand_ins(&["aquasec/trivy:0.68.2"]);
    assert!(place.windflow(&["targets", "add", "scanner", place.engine.address()]).status.success());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/security-scan/workflow.yaml");
    let scan = |images: &Value, more: &[&str]| -> Value {
        let images = format!("images={images}");
        let output = place.windflow(&[&["run", path(&file), "-i", &images, "--json"], more].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };

    let clean = scan(&json!(["shop/web:1", "shop/worker:1"]), &[]);
    assert_eq!((&clean["status"], &clean["outputs"]), (&json!("succeeded"), &json!({ "found": [], "failed": [] })));

    let all = json!(["shop/web:1", "shop/vulnerable:1", "shop/missing:1"]);
    let found = scan(&all, &[]);
    assert_eq!(found["status"], "failed", "{found:#}");
    assert_eq!(found["nodes"]["vulnerable"]["error"]["code"], "vulnerable", "{found:#}");
    let finding = |id: &str, severity: &str, package: &str, installed: &str, fixed: &str| json!({ "image": "shop/vulnerable:1", "id": id, "severity": severity, "package": package, "installed": installed, "fixed": fixed });
    assert_eq!(
        found["nodes"]["findings"]["output"],
        json!({
            "found": [
                finding("CVE-2026-1", "CRITICAL", "openssl", "3.5.0", "3.5.1"),
                finding("CVE-2026-2", "HIGH", "zlib", "1.3", "1.3.1"),
            ],
            "failed": [{ "image": "shop/missing:1", "why": "FATAL image scan / no such manifest" }],
        })
    );

    // What somebody looked at and accepted is no finding; what was said before is not said again.
    let accepted = scan(&json!(["shop/vulnerable:1"]), &["-i", r#"accepted=["CVE-2026-1","CVE-2026-2"]"#]);
    assert_eq!((&accepted["status"], &accepted["outputs"]["found"]), (&json!("succeeded"), &json!([])), "{accepted:#}");
    assert!(place.engine.fetched().contains("aquasec/trivy:0.68.2"), "it was there before");
}
