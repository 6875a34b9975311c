use std::cell::RefCell;
use std::rc::Rc;

use windflow_sdk::http::{Error, Request};
use windflow_sdk::serde_json::{Value, from_slice, json};
use windflow_sdk::testing::http::{Answer, set_transport};
use windflow_sdk::{NodeError, Retry, testing};

use crate::http;

/// Runs the node against answers, and gives the requests that it sent.
#[track_caller]
fn run(config: Value, answers: Vec<Result<Answer, Error>>) -> (Result<Value, NodeError>, Vec<Request>) {
    let requests = Rc::new(RefCell::new(Vec::new()));
    let mut answers = answers.into_iter();
    let seen = Rc::clone(&requests);
    set_transport(move |request: &Request| {
        seen.borrow_mut().push(request.clone());
        answers.next().expect("an answer is left")
    });
    let result = testing::run(http::NODE, config).map(|emitted| emitted.value);
    (result, requests.take())
}

/// What a request looks like on the wire, headers in the order sent, without those that are always the same.
fn wire(request: &Request) -> String {
    let mut text = format!("{} {}", request.method, request.url);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "User-Agent") {
        text += &format!("\n{name}: {value}");
    }
    if let Some(body) = &request.body {
        text += &format!("\n\n{}", String::from_utf8_lossy(body));
    }
    text
}

#[track_caller]
fn check_request(config: Value, expect: &str) {
    let (result, requests) = run(config, vec![Ok(Answer::new(200))]);
    result.unwrap();
    assert_eq!(wire(&requests[0]), expect);
}

#[track_caller]
fn check_answer(config: Value, answer: Answer, body: Value) {
    let (result, _) = run(config, vec![Ok(answer)]);
    assert_eq!(result.unwrap()["body"], body);
}

#[track_caller]
fn check_fails(config: Value, answer: Result<Answer, Error>, code: &str, retry: Retry, message: &str) -> NodeError {
    let error = run(config, vec![answer]).0.unwrap_err();
    assert_eq!((&*error.code, error.retry), (code, retry), "{}", error.message);
    assert!(error.message.contains(message), "{}", error.message);
    error
}

#[test]
fn sends_what_is_configured() {
    check_request(json!({ "url": "https://example.org/a" }), "GET https://example.org/a");
    check_request(
        json!({ "url": "https://example.org/a?x=1", "query": { "q": "a b", "n": 2, "no": null, "many": ["c", true] } }),
        "GET https://example.org/a?x=1&q=a%20b&n=2&many=c&many=true",
    );
    check_request(
        json!({ "url": "https://example.org", "headers": { "Accept": "text/csv", "X-N": 3 }, "method": "head" }),
        "HEAD https://example.org/\nAccept: text/csv\nX-N: 3",
    );
    check_request(
        json!({ "url": "https://example.org", "auth": { "bearer": "t" } }),
        "GET https://example.org/\nAuthorization: Bearer t",
    );
    check_request(
        json!({ "url": "https://example.org", "auth": { "basic": { "username": "u", "password": "p" } } }),
        "GET https://example.org/\nAuthorization: Basic dTpw",
    );
}

#[test]
fn sends_one_body_and_the_key() {
    let url = "https://example.org/";
    let post = |key: &str, value: Value| json!({ "method": "POST", "url": url, key: value });
    let key = "Idempotency-Key: key";
    check_request(
        post("json", json!({ "a": [1] })),
        &format!("POST {url}\nContent-Type: application/json\n{key}\n\n{{\"a\":[1]}}"),
    );
    check_request(
        post("form", json!({ "a b": "é", "n": [1, 2] })),
        &format!("POST {url}\nContent-Type: application/x-www-form-urlencoded\n{key}\n\na%20b=%C3%A9&n=1&n=2"),
    );
    check_request(
        post("text", json!("hi")),
        &format!("POST {url}\nContent-Type: text/plain; charset=utf-8\n{key}\n\nhi"),
    );
    check_request(
        post("base64", json!("aGk=")),
        &format!("POST {url}\nContent-Type: application/octet-stream\n{key}\n\nhi"),
    );
    check_request(
        json!({ "method": "PUT", "url": url, "text": "<a/>", "headers": { "content-type": "text/xml", "idempotency-key": "mine" } }),
        &format!("PUT {url}\ncontent-type: text/xml\nidempotency-key: mine\n\n<a/>"),
    );
    check_request(json!({ "method": "DELETE", "url": url }), &format!("DELETE {url}\n{key}\n\n"));
}

#[test]
fn refuses_a_wrong_configuration() {
    let never = Retry::Never;
    let check = |config: Value, message: &str| {
        check_fails(config, Ok(Answer::new(200)), "invalid_config", never, message);
    };
    check(json!({ "url": "example.org" }), "does not begin with");
    check(json!({ "url": "http://a", "json": 1, "text": "x" }), "only one of");
    check(json!({ "url": "http://a", "base64": "!" }), "not base64");
    check(json!({ "url": "http://a", "method": "GET /" }), "`method`");
    check(json!({ "url": "http://a", "query": { "q": {} } }), "`query.q`");
    check(json!({ "url": "http://a", "fail_on": ["error"] }), "`fail_on`");
    check(
        json!({ "url": "http://a", "auth": { "bearer": "t" }, "headers": { "authorization": "x" } }),
        "leave one away",
    );
}

#[test]
fn gives_on_the_answer() {
    let answer = Answer::new(201)
        .header("Content-Type", "application/json")
        .header("X-A", "1")
        .header("x-a", "2")
        .body("{\"n\":1}");
    let (result, _) = run(json!({ "url": "https://example.org" }), vec![Ok(answer)]);
    let expect = json!({
        "status": 201,
        "headers": { "content-type": "application/json", "x-a": "1, 2" },
        "body": { "n": 1 },
        "url": "https://example.org/",
    });
    assert_eq!(result.unwrap(), expect);
}

#[test]
fn reads_the_body_as_told() {
    let config = |response: &str| json!({ "url": "http://a", "response": response });
    let answer = |media_type: &str, body: &[u8]| Answer::new(200).header("content-type", media_type).body(body);
    check_answer(config("auto"), answer("application/problem+json; charset=utf-8", b"[1]"), json!([1]));
    check_answer(config("auto"), answer("text/html", "é".as_bytes()), json!("é"));
    check_answer(config("auto"), answer("image/png", b"\xff\x00"), json!("/wA="));
    check_answer(config("auto"), answer("application/json", b""), json!(null));
    check_answer(config("json"), answer("text/plain", b"\xef\xbb\xbf {\"a\":1} "), json!({ "a": 1 }));
    check_answer(config("text"), answer("application/json", b"{}\xff"), json!("{}\u{fffd}"));
    check_answer(config("base64"), answer("application/json", b"{}"), json!("e30="));
    check_fails(config("json"), Ok(answer("text/html", b"<p>")), "invalid_json", Retry::Never, "`response: text`");
}

#[test]
fn fails_on_some_statuses() {
    let url = json!({ "url": "https://example.org/a?key=secret" });
    check_fails(
        url.clone(),
        Ok(Answer::new(500)),
        "http_status",
        Retry::MayHelp,
        "GET https://example.org/a answered with status 500",
    );
    check_fails(url.clone(), Ok(Answer::new(503).header("Retry-After", "2")), "http_status", Retry::After(2000), "503");
    check_fails(url.clone(), Ok(Answer::new(429)), "http_status", Retry::MayHelp, "429");
    check_answer(url, Answer::new(404).body("no"), json!("no"));

    let strict = json!({ "url": "http://a", "fail_on": ["4xx", "5XX"] });
    check_fails(strict.clone(), Ok(Answer::new(404).header("retry-after", "1")), "http_status", Retry::Never, "404");
    let answer = Answer::new(422).header("content-type", "application/json").body("{\"why\":[1]}");
    let error = check_fails(strict, Ok(answer), "http_status", Retry::Never, "422");
    let details: Value = from_slice(&error.details.unwrap()).unwrap();
    assert_eq!(details["body"], json!({ "why": [1] }));
    assert_eq!((&details["status"], &details["headers"]["content-type"]), (&json!(422), &json!("application/json")));

    let none = json!({ "url": "http://a", "fail_on": [] });
    check_answer(none, Answer::new(500).body("x"), json!("x"));
    let long = check_fails(
        json!({ "url": "http://a" }),
        Ok(Answer::new(500).body("é".repeat(9000))),
        "http_status",
        Retry::MayHelp,
        "",
    );
    assert_eq!(from_slice::<Value>(&long.details.unwrap()).unwrap()["body"].as_str().unwrap().chars().count(), 2000);
}

#[test]
fn fails_without_an_answer() {
    let config = json!({ "url": "http://a", "max_bytes": 3 });
    let text = || "why".to_owned();
    check_fails(config.clone(), Err(Error::Connection(text())), "connection", Retry::MayHelp, "why");
    check_fails(config.clone(), Err(Error::Timeout(text())), "connection", Retry::MayHelp, "why");
    check_fails(config.clone(), Err(Error::Denied(text())), "denied", Retry::Never, "why");
    check_fails(config.clone(), Ok(Answer::new(200).body("four")), "too_large", Retry::Never, "raise `max_bytes`");
    check_answer(config, Answer::new(200).body("two"), json!("two"));
}

#[test]
fn follows_redirects_as_browsers_do() {
    let redirect = |status: u16, to: &str| Ok(Answer::new(status).header("Location", to));
    let config = |method: &str| json!({ "url": "https://a.org/x", "method": method, "auth": { "bearer": "t" } });
    let second = |method: &str, status: u16, to: &str| {
        let mut config = config(method);
        if method == "POST" || method == "PUT" {
            config["text"] = json!("body");
        }
        let (result, requests) = run(config, vec![redirect(status, to), Ok(Answer::new(200))]);
        assert_eq!(result.unwrap()["url"], json!(requests[1].url.to_string()));
        wire(&requests[1])
            .replace("\nContent-Type: text/plain; charset=utf-8", "")
            .replace("\nIdempotency-Key: key", " +key")
    };
    let auth = "\nAuthorization: Bearer t";
    assert_eq!(second("GET", 302, "y"), format!("GET https://a.org/y{auth}"));
    assert_eq!(second("POST", 302, "/y"), format!("GET https://a.org/y{auth}"));
    assert_eq!(second("POST", 303, "/y"), format!("GET https://a.org/y{auth}"));
    assert_eq!(second("PUT", 303, "/y"), format!("GET https://a.org/y{auth}"));
    assert_eq!(second("PUT", 301, "/y"), format!("PUT https://a.org/y{auth} +key\n\nbody"));
    assert_eq!(second("POST", 307, "/y"), format!("POST https://a.org/y{auth} +key\n\nbody"));
    assert_eq!(second("HEAD", 303, "/y"), format!("HEAD https://a.org/y{auth}"));
    // Another origin gets no login: another host, another port, another scheme.
    assert_eq!(second("GET", 308, "https://b.org/"), "GET https://b.org/");
    assert_eq!(second("GET", 301, "https://a.org:444/"), "GET https://a.org:444/");
    assert_eq!(second("GET", 301, "http://a.org/"), "GET http://a.org/");
}

#[test]
fn redirects_have_an_end() {
    let circle = || Ok(Answer::new(302).header("Location", "/"));
    let (result, requests) =
        run(json!({ "url": "http://a", "follow_redirects": 2 }), vec![circle(), circle(), circle()]);
    assert_eq!((&*result.unwrap_err().code, requests.len()), ("too_many_redirects", 3));
    let (result, _) = run(json!({ "url": "http://a", "follow_redirects": 0 }), vec![circle()]);
    assert_eq!(result.unwrap()["status"], json!(302));
    check_fails(
        json!({ "url": "http://a" }),
        Ok(Answer::new(302).header("location", "ftp://b")),
        "invalid_redirect",
        Retry::Never,
        "ftp://b",
    );
}
