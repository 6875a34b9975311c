//! A server that is started, asked and ended as operators and clients do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::common::windflow;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Everything it said.
    said: Arc<Mutex<String>>,
    pub(crate) http: Client,
    pub(crate) token: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    pub(crate) fn start(data: &Path, more: &[&str]) -> Self {
        let mut command = windflow(data);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(more);
        Self::of(command)
    }

    /// A server that is let run until it says something, ready or not.
    #[allow(dead_code, reason = "one of the tests kills servers before they are ready")]
    pub(crate) fn until_said(data: &Path, more: &[&str], words: &str) -> Self {
        let mut command = windflow(data);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(more);
        let mut serving = Self::begun(command);
        serving.until(|serving| serving.said().contains(words));
        serving
    }

    fn begun(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut said = heard.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        windflow_testkit::choose_tls();
        let http = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { child, url: String::new(), said, http, token: String::new() }
    }

    pub(crate) fn of(command: Command) -> Self {
        let mut serving = Self::begun(command);
        serving.until(|serving| serving.said().contains("listens on http"));
        let said = serving.said();
        let (_, rest) = said.split_once("listens on ").unwrap();
        serving.url = rest.lines().next().unwrap().trim().to_owned();
        serving.until(|serving| {
            serving.http.get(format!("{}/startupz", serving.url)).send().is_ok_and(|answer| answer.status() == 200)
        });
        serving
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.said());
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came to that: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub(crate) fn answer(&self, request: RequestBuilder, status: u16) -> Value {
        let answer = request.send().unwrap();
        let found = answer.status().as_u16();
        let text = answer.text().unwrap();
        assert_eq!(found, status, "{text}\n{}", self.said());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) fn sign_in(&mut self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        let tokens = self.answer(self.request("POST", "/api/v1/auth/login").json(&body), 200);
        self.token = tokens["access_token"].as_str().unwrap().to_owned();
    }

    pub(crate) fn create_enabled(&self, name: &str, text: &str) {
        let create = self.request("POST", "/api/v1/workflows").header("content-type", "application/yaml");
        self.answer(create.body(text.to_owned()), 201);
        self.answer(self.request("POST", &format!("/api/v1/workflows/{name}/enable")), 200);
    }

    pub(crate) fn runs(&self, query: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.answer(self.request("GET", &format!("/api/v1/runs?limit=500{query}{cursor}")), 200);
            all.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Asks it to stop, and gives how it ended.
    pub(crate) fn stop(mut self, signal: &str) -> (i32, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), self.said());
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it did not stop: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(crate) fn add_user(data: &Path, email: &str) {
    use std::io::Write;
    let mut command = windflow(data);
    command.args(["users", "add", email, "--role", "operator"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A command that has to do what it is told, and what it says.
pub(crate) fn told(data: &Path, arguments: &[&str], status: i32) -> String {
    let output = windflow(data).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
    said
}
