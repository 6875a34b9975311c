//! API keys and the key of secrets, from the command line.

use serde_json::json;

use crate::common::windflow;
use crate::serving::{Serving, add_user, told};

#[test]
fn keys_are_made_on_the_command_line_with_and_without_a_server() {
    let data = tempfile::tempdir().unwrap();
    add_user(data.path(), "op@local.example");
    let create = |more: &[&str]| {
        let asked = ["token", "create", "--user", "op@local.example", "--name", "ci"];
        windflow(data.path()).args([&asked[..], more].concat()).output().unwrap()
    };
    let made = |more: &[&str]| {
        let output = create(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("wfk_"), "it was told to the log");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let before = made(&["--scope", "runs:read", "--expires-in", "1h"]);
    let mut server = Serving::start(data.path(), &[]);
    let while_served = made(&["--scope", "workflows:read,runs:read"]);
    let status = |server: &Serving, token: &str, path: &str| {
        let request = server.http.get(format!("{}/api/v1/{path}", server.url)).bearer_auth(token);
        request.send().unwrap().status().as_u16()
    };
    assert!(before.starts_with("wfk_local.") && before != while_served);
    assert_eq!((status(&server, &before, "runs"), status(&server, &before, "workflows")), (200, 403));
    assert_eq!((status(&server, &while_served, "runs"), status(&server, &while_served, "workflows")), (200, 200));
    // What cannot be is refused in the same words either way.
    let refused = |more: &[&str], why: &str| {
        let output = create(more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty() && said.contains(why), "{more:?}: {said}");
    };
    let all = |refused: &dyn Fn(&[&str], &str)| {
        refused(&["--scope", "people:manage"], "may not do people:manage");
        refused(&["--scope", "everything"], "the scopes are");
        refused(&["--scope", "runs:read", "--expires-in", "0s"], "ended already");
        refused(&[], "--scope");
    };
    all(&refused);
    let nobody =
        told(data.path(), &["token", "create", "--user", "x@y.example", "--name", "a", "--scope", "runs:read"], 1);
    assert!(nobody.contains("nobody signs in with x@y.example"), "{nobody}");
    server.token = while_served;
    assert!(!server.said().contains("wfk_"), "{}", server.said());
    assert_eq!(server.stop("-TERM").0, 0);
    all(&refused);
}

#[test]
fn secrets_get_another_key_and_open_wherever_that_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let (key_file, half) = (data.path().join("secrets.key"), data.path().join("half"));
    add_user(data.path(), "op@local.example");
    let mut server = Serving::start(data.path(), &[]);
    server.sign_in("op@local.example");
    server.answer(server.request("PUT", "/api/v1/secrets/knock").json(&json!({ "value": "s3cret" })), 200);
    let text = "windflow: 1\nname: knocked\ntriggers:\n  hook: { uses: webhook, with: { path: knock, auth: { bearer: knock } } }\nnodes:\n  a: { uses: log@1, with: { message: hello } }\n";
    server.create_enabled("knocked", text);
    let knock = |server: &Serving| {
        let request =
            server.http.post(format!("{}/hooks/local/knock", server.url)).bearer_auth("s3cret").json(&json!({}));
        request.send().unwrap().status().as_u16()
    };
    assert_eq!(knock(&server), 202);
    // A server that has read the key is not to be surprised by another one.
    let said = told(data.path(), &["secrets", "rotate-key"], 1);
    assert!(said.contains("another windflow"), "{said}");
    assert_eq!(server.stop("-TERM").0, 0);

    let first = std::fs::read_to_string(&key_file).unwrap();
    let said = told(data.path(), &["secrets", "rotate-key"], 0);
    assert!(said.contains("1 values have another key"), "{said}");
    let second = std::fs::read_to_string(&key_file).unwrap();
    assert!(first != second && second.len() == 65, "{second}");
    let server = Serving::start(data.path(), &[]);
    assert_eq!(knock(&server), 202);
    server.kill();
    // The key from before opens nothing any more.
    std::fs::write(&half, &first).unwrap();
    let former = ["serve", "--listen", "127.0.0.1:0", "--secrets-key-file", half.to_str().unwrap()];
    assert!(told(data.path(), &former, 2).contains("encrypted with another key"));

    // As if it had been killed once the next key was written down, and before anything was encrypted with it.
    std::fs::write(&half, format!("{}\n{second}", "0a".repeat(32))).unwrap();
    let server = Serving::start(data.path(), &["--secrets-key-file", half.to_str().unwrap()]);
    assert_eq!(knock(&server), 202);
    server.kill();
    let said = told(data.path(), &["secrets", "rotate-key", "--secrets-key-file", half.to_str().unwrap()], 0);
    assert!(said.contains("Going on") && said.contains("1 values have another key"), "{said}");
    assert_eq!(std::fs::read_to_string(&half).unwrap(), format!("{}\n", "0a".repeat(32)));
    let mut server = Serving::start(data.path(), &["--secrets-key-file", half.to_str().unwrap()]);
    assert_eq!(knock(&server), 202);
    assert_eq!(server.stop("-TERM").0, 0);

    // A key of the environment is the operator's to change.
    let mut command = windflow(data.path());
    let output = command.args(["secrets", "rotate-key"]).env("WINDFLOW_SECRETS_KEY", "0a".repeat(32)).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let both = format!("{} {}", "0b".repeat(32), "0a".repeat(32));
    let mut command = windflow(data.path());
    let output = command.args(["secrets", "rotate-key"]).env("WINDFLOW_SECRETS_KEY", &both).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = windflow(data.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("WINDFLOW_SECRETS_KEY", "0b".repeat(32));
    server = Serving::of(command);
    assert_eq!(knock(&server), 202);
}
