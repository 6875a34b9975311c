//! The node type `email` against a real mail server, which wants TLS and a password.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
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
        self.run_at(self.port, "1m", granted, password, more)
    }

    /// The same with the server of another port, to which the password belongs as well.
    fn run_at(&self, port: u16, timeout: &str, granted: &[String], password: &str, more: &Value) -> Value {
        let mut with = json!({
            "server": format!("localhost:{port}"), "credential": "mail", "from": "WindFlow <flow@example.org>",
            "to": ["ada@example.org"], "subject": "Zoé is here", "text": "Hello",
        });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let document = json!({
            "windflow": 1, "name": "tell",
            "permissions": { "email": granted, "credentials": ["mail"] },
            // The server is an expression, so that it is the engine that denies, and not the validation.
            "inputs": { "server": { "type": "string", "default": with["server"] } },
            "nodes": { "tell": { "uses": "email@1", "timeout": timeout, "with": with } },
            "outputs": { "mail": "${{ nodes.tell.output }}" },
        });
        let mut document = document;
        document["nodes"]["tell"]["with"]["server"] = json!("${{ inputs.server }}");
        let place = Place::new(&document.to_string());
        let file = credentials(place.folder.path(), port);
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
}

fn credentials(folder: &Path, port: u16) -> String {
    let path = folder.join("credentials.toml");
    let text = format!(
        "[mail]\nbind = {{ basic = {{ username = \"flow\" }} }}\nhosts = [\"localhost:{port}\"]\nenv = \"MAIL_PASSWORD\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
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

/// A mail server on loopback that says its lines, each once it has heard one; what it heard until the other end was gone.
fn scripted(lines: &'static [&'static str]) -> (u16, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut heard = Vec::new();
        for line in lines {
            // Whoever has gone away hears nothing more.
            if stream.write_all(line.as_bytes()).is_err() || reader.read_until(b'\n', &mut heard).unwrap_or(0) == 0 {
                break;
            }
        }
        if !lines.is_empty() {
            let _ = stream.write_all(b"221 bye\r\n");
        }
        let _ = reader.read_to_end(&mut heard);
        String::from_utf8_lossy(&heard).into_owned()
    });
    (port, heard)
}

/// Servers, or whoever stands between, that talk a client out of TLS, refuse it, or say nothing: neither password nor message goes there.
#[test]
fn servers_that_refuse_hang_or_talk_out_of_tls_get_nothing() {
    let server = MailServer::start();
    for (lines, codes, timeout, says) in [
        // It does not offer TLS, as if there were none.
        (&["220 mail\r\n", "250-mail\r\n250 AUTH PLAIN LOGIN\r\n"][..], &["mail_failed"][..], "1m", "STARTTLS"),
        // It offers TLS and takes it back.
        (
            &["220 mail\r\n", "250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "454 not available now\r\n"],
            &["mail_failed"],
            "1m",
            "454",
        ),
        // It agrees to TLS, and goes on in plain text at once.
        (
            &["220 mail\r\n", "250-mail\r\n250 STARTTLS\r\n", "220 go ahead\r\n250-mail\r\n250 AUTH PLAIN\r\n"],
            &["mail_failed"],
            "1m",
            "not sent",
        ),
        (&["554 go away\r\n"], &["mail_refused"], "1m", "go away"),
        // It says nothing. Whichever bound comes first ends it: that of the step, or that of the attempt.
        (&[], &["mail_failed", "timeout"], "3s", ""),
    ] {
        let (port, heard) = scripted(lines);
        let granted = [format!("localhost:{port}")];
        let report = server.run_at(port, timeout, &granted, "correct horse", &json!({ "text": "for Ada alone" }));
        let (found, message) = failure(&report);
        assert!(codes.contains(&found) && message.contains(says), "{lines:?}: {found}: {message}");
        let heard = heard.join().unwrap();
        for part in ["AUTH", "MAIL FROM", "for Ada alone", "correct horse"] {
            assert!(!heard.contains(part), "{lines:?} heard {heard}");
        }
    }
    assert!(server.tool.line(Duration::ZERO).is_none(), "nothing has arrived");
}
