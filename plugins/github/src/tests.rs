use windflow_sdk::serde_json::{from_slice, json};
use windflow_sdk::testing;
use windflow_sdk::testing::http::{Answer, set_transport};

use super::*;

/// Does an action against an answer; what was sent.
fn run(action: Value, answer: Answer) -> (String, Result<Value, NodeError>) {
    let sent = std::rc::Rc::new(std::cell::RefCell::new(String::new()));
    let seen = sent.clone();
    set_transport(move |request: &Request| {
        assert_eq!(request.header("accept"), Some("application/vnd.github+json"));
        let body = request.body.as_deref().map(|body| from_slice::<Value>(body).unwrap());
        *seen.borrow_mut() =
            format!("{} {} {}", request.method, request.url, body.map_or_else(String::new, |body| body.to_string()));
        Ok(answer.clone())
    });
    let config = json!({ "credential": "github", "repository": "acme/shop", "action": action });
    let result = testing::run(github::NODE, config).map(|emitted| emitted.value);
    (sent.take(), result)
}

#[track_caller]
fn check(action: Value, expect: &str) {
    let (sent, result) = run(action, Answer::new(204));
    assert_eq!(sent.trim_end(), expect.replace("REPO", "https://api.github.com/repos/acme/shop"));
    assert_eq!(result.unwrap(), Value::Null);
}

#[test]
fn each_action_is_one_request() {
    check(
        json!({ "list_issues": { "labels": ["bug", "p1"], "limit": 10 } }),
        "GET REPO/issues?state=open&per_page=10&labels=bug%2Cp1",
    );
    check(json!({ "create_issue": { "title": "T" } }), r#"POST REPO/issues {"title":"T","labels":[],"assignees":[]}"#);
    check(json!({ "comment": { "issue": 7, "body": "B" } }), r#"POST REPO/issues/7/comments {"body":"B"}"#);
    check(
        json!({ "close_issue": { "issue": 7 } }),
        r#"PATCH REPO/issues/7 {"state":"closed","state_reason":"completed"}"#,
    );
    check(json!("latest_release"), "GET REPO/releases/latest");
    check(
        json!({ "create_release": { "tag": "v1", "generate_notes": true } }),
        r#"POST REPO/releases {"tag_name":"v1","draft":false,"prerelease":false,"generate_release_notes":true}"#,
    );
    check(
        json!({ "dispatch": { "workflow": "deploy.yml", "ref": "main", "inputs": { "to": "prod" } } }),
        r#"POST REPO/actions/workflows/deploy.yml/dispatches {"ref":"main","inputs":{"to":"prod"}}"#,
    );
    check(json!({ "event": { "type": "built" } }), r#"POST REPO/dispatches {"event_type":"built"}"#);
    check(
        json!({ "status": { "sha": "abc", "state": "success" } }),
        r#"POST REPO/statuses/abc {"state":"success","context":"windflow"}"#,
    );
    check(json!({ "combined_status": "feature/a?b" }), "GET REPO/commits/feature%2Fa%3Fb/status");
}

#[test]
fn pull_requests_are_no_issues() {
    let page = Answer::new(200).body(r#"[{"number":1},{"number":2,"pull_request":{}}]"#);
    assert_eq!(run(json!({ "list_issues": {} }), page).1.unwrap(), json!([{ "number": 1 }]));
}

#[test]
fn a_rate_limit_is_waited_for() {
    let limited = Answer::new(403).body(r#"{"message":"API rate limit exceeded for user"}"#);
    assert_eq!(run(json!("latest_release"), limited).1.unwrap_err().retry, Retry::After(60_000));
    let forbidden = Answer::new(403).body(r#"{"message":"Resource not accessible"}"#);
    let error = run(json!("latest_release"), forbidden).1.unwrap_err();
    assert!(error.retry == Retry::Never && error.message.contains("Resource not accessible"), "{error}");
}

#[test]
fn nothing_leads_out_of_the_repository() {
    for repository in ["shop", "acme/shop/../../user", "acme/..", "acme/", "a b/c", "acme/shop?x"] {
        let config = json!({ "repository": repository, "action": "latest_release" });
        let error = testing::run(github::NODE, config).unwrap_err();
        assert!(error.message.contains("owner/name"), "{error}");
    }
    let (sent, _) = run(json!({ "dispatch": { "workflow": "../../../user", "ref": "main" } }), Answer::new(204));
    assert!(sent.contains("/actions/workflows/..%2F..%2F..%2Fuser/dispatches"), "{sent}");
    let error = run(json!({ "status": { "sha": "a", "state": "fine" } }), Answer::new(204)).1.unwrap_err();
    assert!(error.message.contains("none of error, failure, pending, success"), "{error}");
}
