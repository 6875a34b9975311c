use std::cell::RefCell;
use std::rc::Rc;

use windflow_sdk::http::{HttpError, Request, Response, set_transport};
use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::testing::{self, Emitted};
use windflow_sdk::{NodeError, Retry};

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, HttpError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

/// Runs the node against scripted answers; gives what it emitted and what it sent.
fn run(config: Value, answers: Vec<Result<Response, HttpError>>) -> (Result<Emitted, NodeError>, Vec<Request>) {
    let sent = Rc::new(RefCell::new(Vec::new()));
    let (seen, mut answers) = (sent.clone(), answers.into_iter());
    set_transport(move |request| {
        seen.borrow_mut().push(request.clone());
        answers.next().unwrap_or(Err(HttpError::Failed("no answer is scripted".into())))
    });
    let emitted = testing::run(super::http::NODE, config);
    (emitted, sent.take())
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[test]
fn requests_are_what_the_configuration_says() {
    let config = json!({
        "method": "post", "url": "https://a.test/x?y=1", "query": { "q": "é &", "n": 2 }, "headers": { "X-One": "1" },
        "json": { "a": [1] }, "auth": { "basic": { "username": "u", "password": "p" } },
    });
    let (emitted, sent) = run(config, vec![answer(200, &[("content-type", "application/json")], "{\"ok\":true}")]);
    let request = &sent[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://a.test/x?y=1&n=2&q=%C3%A9%20%26"));
    assert_eq!(request.body, b"{\"a\":[1]}");
    assert_eq!(header(request, "content-type"), Some("application/json"));
    assert_eq!(header(request, "authorization"), Some("Basic dTpw"));
    assert_eq!(header(request, "idempotency-key"), Some("key"));
    assert_eq!(header(request, "x-one"), Some("1"));
    let value = emitted.unwrap().value;
    assert_eq!((&value["status"], &value["body"]), (&json!(200), &json!({ "ok": true })));
}

#[test]
fn bodies_are_given_as_asked() {
    for (form, kind, body, expect) in [
        ("auto", "application/json", "[1]", json!([1])),
        ("auto", "application/json", "oops", json!("oops")),
        ("auto", "text/plain", "[1]", json!("[1]")),
        ("json", "text/plain", "[1]", json!([1])),
        ("text", "application/json", "[1]", json!("[1]")),
        ("base64", "text/plain", "abc", json!("YWJj")),
    ] {
        let config = json!({ "url": "https://a.test/", "response": form });
        let (emitted, _) = run(config, vec![answer(200, &[("content-type", kind)], body)]);
        assert_eq!(emitted.unwrap().value["body"], expect, "{form} {kind} {body}");
    }
    let (emitted, _) = run(json!({ "url": "https://a.test/", "response": "json" }), vec![answer(200, &[], "oops")]);
    assert_eq!(emitted.unwrap_err().code, "invalid_json");
}

#[test]
fn statuses_fail_as_asked_and_say_whether_to_try_again() {
    for (status, headers, expect) in [
        (500, &[][..], Some(Retry::MayHelp)),
        (429, &[("retry-after", "3")][..], Some(Retry::After(3000))),
        (
            503,
            &[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")][..],
            Some(Retry::After(10_000)),
        ),
        (404, &[][..], None),
        (200, &[][..], None),
    ] {
        let (emitted, _) = run(json!({ "url": "https://a.test/" }), vec![answer(status, headers, "body")]);
        assert_eq!(emitted.err().map(|error| error.retry), expect, "{status}");
    }
    let (emitted, _) = run(json!({ "url": "https://a.test/?token=t", "fail_on": ["4xx"] }), vec![answer(404, &[], "gone")]);
    let error = emitted.unwrap_err();
    assert_eq!((error.code.as_ref(), error.retry), ("http_status", Retry::Never));
    assert!(!error.message.contains("token"), "{}", error.message);
    assert!(run(json!({ "url": "https://a.test/", "fail_on": [] }), vec![answer(500, &[], "")]).0.is_ok());
    assert_eq!(run(json!({ "url": "https://a.test/", "fail_on": ["no"] }), vec![answer(200, &[], "")]).0.unwrap_err().code, "invalid_config");
}

#[test]
fn redirects_keep_secrets_with_their_origin() {
    let config = json!({ "method": "POST", "url": "https://a.test/x", "text": "hi", "auth": { "bearer": "t" } });
    let (emitted, sent) = run(config, vec![
        answer(307, &[("location", "/y")], ""),
        answer(303, &[("location", "https://b.test/z")], ""),
        answer(200, &[], "done"),
    ]);
    assert_eq!(emitted.unwrap().value["url"], "https://b.test/z");
    let shown: Vec<_> = sent.iter().map(|request| (request.method.as_str(), request.body.len(), header(request, "authorization"))).collect();
    assert_eq!(shown, [("POST", 2, Some("Bearer t")), ("POST", 2, Some("Bearer t")), ("GET", 0, None)]);

    let loops = vec![answer(302, &[("location", "/x")], ""); 9];
    let (emitted, sent) = run(json!({ "url": "https://a.test/x", "follow_redirects": 3 }), loops);
    assert_eq!((emitted.unwrap_err().code.as_ref(), sent.len()), ("too_many_redirects", 4));
    let (emitted, _) = run(json!({ "url": "https://a.test/x", "follow_redirects": 0 }), vec![answer(302, &[("location", "/y")], "")]);
    assert_eq!(emitted.unwrap().value["status"], 302);
}

#[test]
fn what_cannot_be_sent_or_read_says_why() {
    for (config, answer, code, retry) in [
        (json!({ "url": "a.test" }), answer(200, &[], ""), "invalid_request", Retry::Never),
        (json!({ "url": "https://a.test/", "method": "BREW" }), answer(200, &[], ""), "invalid_config", Retry::Never),
        (json!({ "url": "https://a.test/", "text": "a", "json": 1 }), answer(200, &[], ""), "invalid_config", Retry::Never),
        (json!({ "url": "https://a.test/" }), Err(HttpError::Denied), "denied", Retry::Never),
        (json!({ "url": "https://a.test/" }), Err(HttpError::Failed("refused".into())), "connection", Retry::MayHelp),
        (json!({ "url": "https://a.test/", "max_bytes": 3 }), answer(200, &[], "four"), "too_large", Retry::Never),
    ] {
        let error = run(config.clone(), vec![answer]).0.unwrap_err();
        assert_eq!((error.code.as_ref(), error.retry), (code, retry), "{config}");
    }
}
