//! What a run is started with: inputs and grants.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use windflow_core::capability::Grants;
use windflow_core::problem::Problem;
use windflow_core::workflow::{Workflow, resolve_grants};

fn workflow(head: &str) -> Workflow {
    let text = format!("windflow: 1\nname: test\n{head}nodes:\n  a: {{ uses: log@1 }}\n");
    let (workflow, problems) = Workflow::parse(&text);
    assert_eq!(problems, []);
    workflow.unwrap()
}

fn messages(problems: Vec<Problem>) -> Vec<String> {
    problems
        .into_iter()
        .map(|problem| format!("{} {}; {}", problem.code, problem.message, problem.remedy.unwrap_or_default()))
        .collect()
}

const INPUTS: &str = "inputs:\n  count: { type: integer, minimum: 1, description: How many }\n  who: { enum: [a, b], default: a }\n  tags: { type: array, items: { type: string }, default: [] }\n";

#[test]
fn inputs_are_filled_in_and_checked() {
    let check = |given: Value, expect: Result<Value, &str>| {
        let found = workflow(INPUTS).resolve_inputs(given.as_object().unwrap().clone()).map_err(messages);
        match (found, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.iter().any(|text| text.contains(expect)), "{found:?}"),
            (found, expect) => panic!("{given}: {found:?} instead of {expect:?}"),
        }
    };
    check(json!({"count": 2}), Ok(json!({"count": 2, "who": "a", "tags": []})));
    check(json!({"count": 2, "who": "b", "tags": ["x"]}), Ok(json!({"count": 2, "who": "b", "tags": ["x"]})));
    check(
        json!({}),
        Err(
            "missing_input input `count` is required and was not given; give it, for example with -i count=… (How many)",
        ),
    );
    check(json!({"count": 0}), Err("invalid_input input `count` does not fit"));
    check(json!({"count": "2"}), Err("invalid_input"));
    check(json!({"count": 2, "woh": "b"}), Err("unknown_input the workflow has no input `woh`; did you mean `who`?"));
}

#[test]
fn texts_of_the_command_line_become_what_the_schema_wants() {
    let head = "inputs:\n  n: { type: integer }\n  t: { type: string }\n  b: { type: boolean }\n  o: { type: object }\n  u: {}\n  m: { type: [string, \"null\"] }\n";
    for (name, text, expect) in [
        ("n", "12", json!(12)),
        ("n", "twelve", json!("twelve")),
        ("t", "12", json!("12")),
        ("t", "", json!("")),
        ("b", "true", json!(true)),
        ("o", "{\"a\": 1}", json!({"a": 1})),
        ("u", "[1]", json!([1])),
        ("u", "words", json!("words")),
        ("m", "null", json!("null")),
        ("unknown", "1", json!(1)),
    ] {
        assert_eq!(workflow(head).input_from_text(name, text), expect, "{name}={text}");
    }
}

#[test]
fn permissions_grant_what_they_say_and_expressions_one_public_origin() {
    let check = |permission: &str, url: &str, allowed: &[&str], expect: Result<&[&str], &str>| {
        let head = format!(
            "inputs: {{ url: {{ type: string }} }}\npermissions: {{ http: [{permission}], credentials: [team] }}\n"
        );
        let allowed = Grants { http: allowed.iter().map(|text| text.parse().unwrap()).collect(), ..Grants::default() };
        let found = resolve_grants(&workflow(&head), &json!({"url": url}), &allowed);
        match (found, expect) {
            (Ok(grants), Ok(expect)) => {
                let found: Vec<_> = grants.http.iter().skip(allowed.http.len()).map(ToString::to_string).collect();
                assert_eq!(found, expect, "{permission} {url}");
                assert_eq!(grants.credentials, ["team"]);
            }
            (Err(problems), Err(expect)) => {
                let found = messages(problems);
                assert!(found.iter().any(|text| text.contains(expect)), "{permission} {url}: {found:?}");
            }
            (found, expect) => panic!("{permission} {url}: {found:?} instead of {expect:?}"),
        }
    };
    let input = "\"${{ inputs.url }}\"";
    check("a.test, \"*.b.test\", \"10.0.0.0/8\"", "", &[], Ok(&["a.test", "*.b.test", "10.0.0.0/8"]));
    check(input, "https://a.test/path?q#f", &[], Ok(&["https://a.test:443"]));
    check(input, "http://a.test:8080", &[], Ok(&["http://a.test:8080"]));
    check("\"https://${{ inputs.url }}/x\"", "a.test", &[], Ok(&["https://a.test:443"]));
    for bad in ["*", "*.a.test", "https://*.a.test", "", "ftp://a.test", "user@a.test", "a b"] {
        check(input, bad, &[], Err("invalid_host"));
    }
    for private in [
        "http://localhost",
        "http://LOCALHOST.",
        "http://x.localhost",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
        "http://192.168.1.1",
    ] {
        check(input, private, &[], Err("a private address, which an expression cannot grant"));
    }
    check(input, "http://127.0.0.1:8080/x", &["127.0.0.1:*"], Ok(&["http://127.0.0.1:8080"]));
    check(input, "http://127.0.0.1:8080/x", &["10.0.0.0/8"], Err("private"));
    check("\"${{ inputs.url + 1 }}\"", "x", &[], Err("does not go together"));
}
