//! The node type `email` against a real mail server, which wants TLS and a password.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Place, Tool, windflow};
use serde_json::{Value, json};

struct MailServer {
    tool: Tool,
    port: u16,
    folder: tempfile::TempDir,
}

impl MailServer {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tool = Tool::start("mail-server", &[&cert, &key]);
        let port = tool.begun().parse().unwrap();
        Self { tool, port, folder }
    }

    fn received(&self) -> Value {
        serde_json::from_str(&self.tool.line(Duration::from_secs(10)).expect("a message")).unwrap()
    }

    /// Runs a workflow of one `email` node, and gives its report.
    fn run(&self, granted: &[String], password: &str, more: &Value) -> Value {
        let mut with = json!({
            "server": format!("localhost:{}", self.port), "credential": "mail", "from": "WindFlow <flow@example.org>",
            "to": ["ada@example.org"], "subject": "Zoé is here", "text": "Hello",
        });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let document = json!({
            "windflow": 1, "name": "tell",
            "permissions": { "email": granted, "credentials": ["mail"] },
            // The server is an expression, so that it is the engine that denies, and not the validation.
            "inputs": { "server": { "type": "string", "default": with["server"] } },
            "nodes": { "tell": { "uses": "email@1", "with": with } },
            "outputs": { "mail": "${{ nodes.tell.output }}" },
        });
        let mut document = document;
        document["nodes"]["tell"]["with"]["server"] = json!("${{ inputs.server }}");
        let place = Place::new(&document.to_string());
        let file = self.credentials(place.folder.path());
        let output = windflow(&place.folder.path().join("data"))
            .env("MAIL_PASSWORD", password)
            .env("SSL_CERT_FILE", self.folder.path().join("cert.pem"))
            .args(["--credentials", &file, "run", place.path(), "--json"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("correct horse"), "{told}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"))
    }

    fn credentials(&self, folder: &Path) -> String {
        let path = folder.join("credentials.toml");
        let text = format!(
            "[mail]\nbind = {{ basic = {{ username = \"flow\" }} }}\nhosts = [\"localhost:{}\"]\nenv = \"MAIL_PASSWORD\"\n",
            self.port
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn failure(report: &Value) -> (&str, &str) {
    let error = &report["nodes"]["tell"]["error"];
    (error["code"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default())
}

#[test]
fn mail_goes_out_under_tls_with_the_password_and_only_where_it_may() {
    let server = MailServer::start();
    let granted = [format!("localhost:{}", server.port)];

    let report = server.run(&granted, "correct horse", &json!({ "html": "<b>Hello</b>", "bcc": ["bob@example.org"] }));
    assert_eq!(report["status"], "succeeded", "{report:#}");
    let mail = server.received();
    assert_eq!((&mail["from"], &mail["tls"]), (&json!("flow@example.org"), &json!(true)));
    assert_eq!(mail["to"], json!(["ada@example.org", "bob@example.org"]));
    let text = mail["message"].as_str().unwrap();
    let id = report["outputs"]["mail"]["message_id"].as_str().unwrap();
    for part in [id, "Subject: =?utf-8?b?", "text/html", "To: ada@example.org"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("bob@example.org"), "{text}");

    let report = server.run(&granted, "wrong horse", &json!({}));
    let (code, message) = failure(&report);
    assert_eq!(code, "sign_in_refused", "{message}");
    assert!(!report.to_string().contains("wrong horse"), "{report}");

    let report = server.run(&granted, "correct horse", &json!({ "to": "nobody@example.org" }));
    let (code, message) = failure(&report);
    assert!(code == "mail_refused" && message.contains("nobody is here"), "{code}: {message}");

    // A password is not sent in plain text, nor to a server that it does not belong to.
    let report = server.run(&granted, "correct horse", &json!({ "security": "none" }));
    assert!(failure(&report).1.contains("was not sent to"), "{report:#}");

    let elsewhere = [format!("localhost:{}", server.port.wrapping_add(1))];
    let (code, message) = ("denied", format!("email: [\"localhost:{}\"]", server.port));
    let report = server.run(&elsewhere, "correct horse", &json!({}));
    assert!(failure(&report).0 == code && failure(&report).1.contains(&message), "{report:#}");
    assert!(server.tool.line(Duration::ZERO).is_none(), "nothing else has arrived");
}
