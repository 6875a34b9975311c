//! The API against its own document.

use std::path::Path;
use std::process::Command;

use crate::common::windflow;
use crate::serving::{PASSWORD, Serving};

/// Schemathesis asks the server whatever its document allows, and what it does not: with a fixed seed, always the same. Live streams never end, and it
/// cannot write archives.
#[test]
fn the_api_is_what_its_document_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = windflow(&data);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("WINDFLOW_OWNER_EMAIL", "ada@example.org");
    command.env("WINDFLOW_OWNER_PASSWORD", PASSWORD).env("WINDFLOW_LOG", "error").env("WINDFLOW_RATE_LIMIT", "0");
    let mut serving = Serving::of(command);
    serving.sign_in("ada@example.org");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/toolchain/ensure-schemathesis.sh");
    let tool = Command::new(tool).output().unwrap();
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
    let output = Command::new(String::from_utf8(tool.stdout).unwrap().trim())
        .args(["run", &format!("{}/api/v1/openapi.json", serving.url)])
        .args(["--header", &format!("Authorization: Bearer {}", serving.token)])
        .args(["--phases", "examples,coverage", "--seed", "1", "--workers", "2"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args(["--exclude-path-regex", "/live$|/import$", "--generation-database", "none", "--warnings", "off"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let generated = said.split(" generated").next().and_then(|before| before.split_whitespace().last());
    let generated: u32 = generated.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{said}"));
    assert!(generated > 1000, "it asked next to nothing: {said}");
    assert_eq!(serving.stop("-TERM").0, 0);
}
