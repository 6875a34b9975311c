//! OAuth 2: the host asks for tokens itself, once for all, tells nobody, and bears whatever token servers do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use windflow_core::credential::Credential;
use windflow_core::failure::FailureKind::{Denied, Node, Unavailable};
use windflow_core::failure::RetryHint;
use windflow_core::id::OrganisationId;
use windflow_core::ports::credentials::{Credentials, Replaced};
use windflow_core::ports::store::BoxFuture;
use windflow_host::{HostConfig, PluginHost, PublicHosts};

use crate::support::{Attempt, host_with};

const SECRET: &str = "s3cret/client+1";

/// `flow:s3cret%2Fclient%2B1` in Base64, as it stands in the header.
const PAIR: &str = "ZmxvdzpzM2NyZXQlMkZjbGllbnQlMkIx";

/// A request that a server saw: its head and its body.
type Asked = (String, String);
type Answers = dyn Fn(&Asked, usize) -> Option<String> + Send + Sync;

/// A server that answers as a function says; nothing at all where that gives nothing.
struct Scripted {
    authority: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    async fn start(answers: impl Fn(&Asked, usize) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers): (_, Arc<Answers>) = (Arc::clone(&asked), Arc::new(answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&answers)));
            }
        });
        Self { authority, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<Asked>>>, answers: Arc<Answers>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head).await, Ok(length) if length > 0) {
                return;
            }
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let asked = (head, String::from_utf8(body).unwrap());
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(asked.clone());
            seen.len()
        };
        let Some(answer) = answers(&asked, number) else { return std::future::pending().await };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(status: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

/// What a head says after this beginning of a line.
fn of_head<'a>(head: &'a str, beginning: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(beginning)).unwrap_or_default()
}

fn token(text: &str) -> Option<String> {
    answer("200 OK", &json!({ "access_token": text, "token_type": "Bearer", "expires_in": 3600 }).to_string())
}

/// Credentials that can be changed, and that keep new refresh tokens.
#[derive(Default)]
struct Kept {
    credential: Mutex<Option<Arc<Credential>>>,
    replaced: AtomicUsize,
}

impl Kept {
    fn set(&self, document: Value) {
        *self.credential.lock().unwrap() = Some(Arc::new(serde_json::from_value(document).unwrap()));
    }
}

impl Credentials for Kept {
    fn get(&self, _: &OrganisationId, _: &str) -> Result<Option<Arc<Credential>>, String> {
        Ok(self.credential.lock().unwrap().clone())
    }

    fn how_to_set(&self, _: &str) -> String {
        String::new()
    }

    fn replace<'a>(
        &'a self,
        _: &'a OrganisationId,
        _: &'a str,
        from: &'a Credential,
        to: &'a Credential,
    ) -> BoxFuture<'a, Result<Replaced, String>> {
        Box::pin(async move {
            let mut kept = self.credential.lock().unwrap();
            assert_eq!(kept.as_deref(), Some(from));
            *kept = Some(Arc::new(to.clone()));
            self.replaced.fetch_add(1, Ordering::SeqCst);
            Ok(Replaced::Kept)
        })
    }
}

fn document(tokens: &Scripted, api: &Scripted) -> Value {
    let oauth = json!({ "token_url": format!("http://{}/token", tokens.authority), "client_id": "flow" });
    json!({ "bind": { "oauth2": oauth }, "hosts": [format!("http://{}", api.authority)], "value": SECRET })
}

/// A host whose guests hold the credential of these servers.
fn host(guest: &str, tokens: &Scripted, api: &Scripted) -> (PluginHost, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    kept.set(document(tokens, api));
    let mut config = HostConfig { credentials: Arc::clone(&kept) as _, ..HostConfig::default() };
    config.limits.http.idle_time = Duration::from_millis(500);
    (host_with(config, guest), kept)
}

/// A request to a server, with the credential.
fn request(server: &Scripted, path: &str) -> Attempt {
    let config = json!({ "credential": "crm", "request": format!("|{}|{path}|authorization|mine", server.authority) });
    let mut attempt = Attempt::of("http").config(&config.to_string()).grant(&["127.0.0.1:*"]);
    attempt.grants.credentials = vec!["crm".to_owned()];
    attempt
}

/// A server that takes tokens that begin so, and tells which one it got.
async fn api(takes: &'static str) -> Scripted {
    Scripted::start(move |(head, _), _| {
        let fits = of_head(head, "authorization: Bearer ").starts_with(takes);
        answer(if fits { "200 OK" } else { "401 Unauthorized" }, "hello")
    })
    .await
}

#[tokio::test]
async fn one_token_serves_all_requests_until_it_is_refused() {
    let tokens = Scripted::start(|_, number| token(&format!("access-{number}-s3cret"))).await;
    let api = api("access-1").await;
    let (host, kept) = host("http", &tokens, &api);
    let many = (0..20).map(|_| async { request(&api, "/ok").gives(&host, "[200,5]").await });
    futures::future::join_all(many).await;
    let (head, body) = &tokens.asked()[0];
    assert_eq!((tokens.asked().len(), &**body), (1, "grant_type=client_credentials"));
    assert!(
        head.starts_with("POST /token HTTP/1.1\r\n") && head.contains(&format!("authorization: Basic {PAIR}\r\n")),
        "{head}"
    );
    assert!(api.asked().iter().all(|(head, _)| head.contains("authorization: Bearer access-1-s3cret\r\n")));

    // Another credential of the name gets another token; the server takes the first one only.
    let mut changed = document(&tokens, &api);
    changed["bind"]["oauth2"]["audience"] = json!("them & us");
    changed["bind"]["oauth2"]["client_auth"] = json!("body");
    kept.set(changed);
    let before = api.asked().len();
    request(&api, "/ok").gives(&host, "[401,5]").await;
    let body = tokens.asked()[1].1.clone();
    assert_eq!(
        body,
        "grant_type=client_credentials&audience=them%20%26%20us&client_id=flow&client_secret=s3cret%2Fclient%2B1"
    );
    // Refused with the second token, asked once more with a third; whoever comes next does not ask for ever more of them.
    request(&api, "/ok").gives(&host, "[401,5]").await;
    assert_eq!((tokens.asked().len(), api.asked().len() - before), (3, 3));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_request_sent_again() {
    let tokens = Scripted::start(|_, number| token(&format!("access-{number}-s3cret"))).await;
    let api = api("access-2").await;
    let (host, _) = host("http", &tokens, &api);
    request(&api, "/ok").gives(&host, "[200,5]").await;
    request(&api, "/ok").gives(&host, "[200,5]").await;
    assert_eq!((tokens.asked().len(), api.asked().len()), (2, 3));
}

#[tokio::test]
async fn tokens_that_expire_are_asked_for_anew() {
    let short = json!({ "access_token": "access-s3cret", "token_type": "bearer", "expires_in": "0" }).to_string();
    let tokens = Scripted::start(move |_, _| answer("200 OK", &short)).await;
    let api = api("access").await;
    let (host, _) = host("http", &tokens, &api);
    for _ in 0..3 {
        request(&api, "/ok").gives(&host, "[200,5]").await;
    }
    assert_eq!(tokens.asked().len(), 3);
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_before_the_access_token_is_used() {
    let tokens = Scripted::start(|(_, body), number| {
        assert!(body.starts_with("grant_type=refresh_token&refresh_token="));
        let given = json!({ "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"), "expires_in": 0 });
        answer("200 OK", &given.to_string())
    })
    .await;
    let kept: Arc<Kept> = Arc::default();
    let seen = Arc::clone(&kept);
    let api = Scripted::start(move |_, number| {
        assert_eq!(seen.replaced.load(Ordering::SeqCst), number);
        answer("200 OK", "hello")
    })
    .await;
    let mut document = document(&tokens, &api);
    document["bind"]["oauth2"]["grant"] = json!("refresh_token");
    document["client_secret"] = json!("s3cret-client");
    kept.set(document);
    let host = host_with(HostConfig { credentials: Arc::clone(&kept) as _, ..HostConfig::default() }, "http");
    for _ in 0..3 {
        request(&api, "/ok").gives(&host, "[200,5]").await;
    }
    let shown: Vec<String> = tokens.asked().into_iter().map(|(_, body)| body).collect();
    let of = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    assert_eq!(shown, [of("s3cret%2Fclient%2B1"), of("refresh-1"), of("refresh-2")]);
    assert_eq!(kept.get(&OrganisationId::local(), "").unwrap().unwrap().value(), "refresh-3");
}

#[tokio::test]
async fn whatever_a_token_server_does_is_a_failure_that_says_so() {
    let long = "x".repeat(100_000);
    let leak =
        json!({ "error": "invalid_client", "error_description": format!("{SECRET} of Basic {PAIR}") }).to_string();
    for (answers, code, retry, says) in [
        (answer("401 Unauthorized", &leak), "token_refused", RetryHint::Never, "invalid_client (*"),
        (answer("200 OK", &leak), "token_refused", RetryHint::Never, "invalid_client"),
        (answer("403 Forbidden", "<html>"), "token_refused", RetryHint::Never, "status 403: it gave no reason"),
        (answer("500 Oh", "{}"), "token_unavailable", RetryHint::MayHelp, "status 500"),
        (
            answer("429 Slow\r\nretry-after: 7", "{\"error\":\"slow_down\"}"),
            "token_unavailable",
            RetryHint::After(7000),
            "429: slow_down",
        ),
        (answer("200 OK", "{}"), "token_invalid", RetryHint::Never, "is `token_url` right?"),
        (answer("200 OK", "<html>"), "token_invalid", RetryHint::Never, "is `token_url` right?"),
        (answer("200 OK", &long), "token_invalid", RetryHint::Never, "more than 65536 bytes"),
        (token("a b\u{7f} c d e f"), "token_invalid", RetryHint::Never, "cannot stand in a header"),
        (token("short"), "token_invalid", RetryHint::Never, "too short"),
        (
            answer("200 OK", r#"{"access_token":"access-s3cret","token_type":"mac"}"#),
            "token_invalid",
            RetryHint::Never,
            "\"mac\"",
        ),
        (
            Some("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_owned()),
            "token_unavailable",
            RetryHint::MayHelp,
            "within",
        ),
        (None, "token_unavailable", RetryHint::MayHelp, "there was no answer"),
        (Some("nonsense\r\n\r\n".to_owned()), "token_unavailable", RetryHint::MayHelp, "exchange failed"),
    ] {
        let shown = format!("{answers:?}").chars().take(200).collect::<String>();
        let tokens = Scripted::start(move |_, _| answers.clone()).await;
        let api = api("access").await;
        let (host, _) = host("http", &tokens, &api);
        let mut attempt = request(&api, "/ok");
        attempt.grants.http = vec![
            format!("http://{}", tokens.authority).parse().unwrap(),
            format!("http://{}", api.authority).parse().unwrap(),
        ];
        let failure = attempt.fails(&host, Node, says).await;
        assert_eq!(failure.code, code, "{shown}");
        match (failure.retry, retry) {
            (RetryHint::After(left), RetryHint::After(most)) => assert!((1..=most).contains(&left), "{shown}: {left}"),
            (retry, expect) => assert_eq!(retry, expect, "{shown}"),
        }
        let leaks = ["s3cret", PAIR].iter().any(|leak| failure.message.contains(leak));
        assert!(!leaks && api.asked().is_empty(), "{shown}: {failure}");
        // A server that wants to be left alone is not asked again.
        if let RetryHint::After(_) = retry {
            request(&api, "/ok").fails(&host, Node, says).await;
            assert_eq!(tokens.asked().len(), 1);
        }
    }
}

#[tokio::test]
async fn the_secret_goes_to_the_token_server_alone_and_the_token_to_bound_hosts_alone() {
    let stranger = Scripted::start(|_, _| answer("200 OK", "hello")).await;
    let elsewhere = format!("307 Moved\r\nlocation: http://{}/token", stranger.authority);
    let moved = Scripted::start(move |_, _| answer(&elsewhere, "")).await;
    let bound = api("access").await;
    let (host, kept) = host("http", &moved, &bound);
    let failure = request(&bound, "/ok").fails(&host, Node, "redirect (307), which is not followed").await;
    assert_eq!(failure.code, "token_invalid");
    assert!(stranger.asked().is_empty() && bound.asked().is_empty());

    // A request to a host that the credential is not bound to asks for no token and carries none.
    let tokens = Scripted::start(|_, _| token("access-s3cret")).await;
    kept.set(document(&tokens, &bound));
    let unbound = request(&stranger, "/ok");
    unbound.gives(&host, "[200,5]").await;
    let told = unbound.heard.lines.lock().unwrap().pop().unwrap().1;
    assert!(told.contains("the credential crm was not sent to"), "{told}");
    assert!(tokens.asked().is_empty());
    // Nor does one that a bound host sends there: a redirect is a request of its own.
    let to = format!("302 Found\r\nlocation: http://{}/took", stranger.authority);
    let sends_on = Scripted::start(move |_, _| answer(&to, "")).await;
    kept.set(document(&tokens, &sends_on));
    request(&sends_on, "/ok").gives(&host, "[200,5]").await;
    assert_eq!((sends_on.asked().len(), stranger.asked().len()), (1, 2));
    assert!(sends_on.asked()[0].0.contains("Bearer access-s3cret"));
    for (head, body) in stranger.asked() {
        assert!(!head.contains("access-") && !head.contains(PAIR) && !body.contains("s3cret"), "{head}");
    }
}

#[tokio::test]
async fn a_token_server_is_held_against_grants_and_policy_before_anything_is_sent() {
    let tokens = Scripted::start(|_, _| token("access-s3cret")).await;
    let api = api("access").await;
    let (host, kept) = host("http", &tokens, &api);
    let mut attempt = request(&api, "/ok");
    attempt.grants.http = vec![format!("http://{}", api.authority).parse().unwrap()];
    let line = format!("http: [\"http://{}\"]", tokens.authority);
    let failure = attempt.fails(&host, Denied, &line).await;
    assert!(failure.message.contains("there is no access token for the credential crm"), "{failure}");

    let policy = Arc::new(PublicHosts { also: attempt.grants.http.clone() });
    let config = HostConfig { credentials: Arc::clone(&kept) as _, http_policy: policy, ..HostConfig::default() };
    let operated = host_with(config, "http");
    request(&api, "/ok").fails(&operated, Denied, "the operator of this engine").await;
    assert!(tokens.asked().is_empty() && api.asked().is_empty());
}

/// Whoever waits for the same answer shares it, and a credential that changed meanwhile is not mixed with the one before.
#[tokio::test]
async fn failures_are_shared_and_changes_are_seen() {
    let tokens = Scripted::start(|_, _| None).await;
    let api = api("access").await;
    let (host, kept) = host("http", &tokens, &api);
    let many = (0..10).map(|_| async { request(&api, "/ok").fails(&host, Node, "no access token").await });
    futures::future::join_all(many).await;
    assert_eq!(tokens.asked().len(), 1);

    let elsewhere = Scripted::start(|_, _| token("access-s3cret")).await;
    let bound_elsewhere = document(&elsewhere, &elsewhere);
    let changes = Arc::clone(&kept);
    let slow = Scripted::start(move |(head, _), _| {
        changes.set(bound_elsewhere.clone());
        answer(&format!("302 Found\r\nlocation: http://{}/again", of_head(head, "host: ")), "")
    })
    .await;
    kept.set(document(&elsewhere, &slow));
    request(&slow, "/ok").fails(&host, Unavailable, "was changed or removed").await;
    assert_eq!((slow.asked().len(), api.asked().len()), (1, 0));
}

/// Should a guest come by the token after all, it cannot tell anybody.
#[tokio::test]
async fn the_token_is_blotted_out_of_answers() {
    let tokens = Scripted::start(|_, _| token("access-s3cret-0001")).await;
    let api = Scripted::start(|(head, _), number| match number {
        // Sent on with the token in the address, which the guest would then ask.
        1 => {
            let (host, token) = (of_head(head, "host: "), of_head(head, "authorization: Bearer "));
            answer(&format!("302 Found\r\nlocation: http://{host}/seen?{token}"), "")
        }
        _ => answer("200 OK", "hello"),
    })
    .await;
    let (host, _) = host("http", &tokens, &api);
    request(&api, "/ok").gives(&host, "[200,5]").await;
    let (head, _) = api.asked().pop().unwrap();
    assert!(head.starts_with("GET /seen?****************** HTTP"), "{head}");
}
