//! What expressions mean.

use serde_json::{Value, json};

use super::code::{COMPREHENSIONS, FUNCTIONS};
use super::*;
use crate::id::NodeId;
use crate::json::Json;

mod hostile;
mod oracle;

/// A run with one node `a` that succeeded, `failed` that failed, and `b` that did not run.
struct Run {
    inputs: Value,
    output: Json,
}

fn run() -> Run {
    Run {
        inputs: json!({"x": 2, "url": "https://example.org/a", "price": 10.5, "big": 18_446_744_073_709_551_615_u64}),
        output: Json::from(
            json!({"status": 200, "items": [{"n": 1, "name": "one"}, {"n": 2, "name": "two"}], "headers": {"b": 1, "a": 2}, "none": null}),
        ),
    }
}

impl Lookup for Run {
    fn inputs(&self) -> &Value {
        &self.inputs
    }
    fn input(&self) -> Incoming<'_> {
        Incoming::One(&self.output)
    }
    fn node_output(&self, node: &NodeId) -> Option<&Json> {
        (node.as_str() == "a").then_some(&self.output)
    }
    fn node_error(&self, node: &NodeId) -> Option<Value> {
        (node.as_str() == "failed").then(|| json!({"code": "timeout", "message": "too slow"}))
    }
    fn node_status(&self, node: &NodeId) -> Option<&str> {
        match node.as_str() {
            "a" => Some("succeeded"),
            "failed" => Some("failed"),
            _ => Some("skipped"),
        }
    }
    fn run_id(&self) -> Option<String> {
        Some("r1".to_owned())
    }
}

fn start() -> Place {
    Place { line: 1, column: 1, bytes: 0..0 }
}

fn eval(source: &str) -> Result<Value, String> {
    let expression = Expression::compile(source, &start()).map_err(|problem| {
        format!(
            "{}: {}{}",
            problem.place,
            problem.message,
            problem.remedy.map(|r| format!("; {r}")).unwrap_or_default()
        )
    })?;
    expression.evaluate(&run()).map_err(|error| error.to_string())
}

fn check(source: &str, expect: Value) {
    assert_eq!(eval(source), Ok(expect), "{source}");
}

fn check_error(source: &str, expect: &str) {
    let error = eval(source).unwrap_err();
    assert!(error.contains(expect), "{source}: {error}");
}

#[test]
fn the_format_tells_every_function() {
    let told = include_str!("../../../../docs/format.md");
    let names = FUNCTIONS.iter().map(|(name, ..)| *name).chain(COMPREHENSIONS.iter().map(|(name, _)| *name));
    for name in names.chain(["has"]) {
        assert!(told.contains(&format!("{name}(")) || told.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn paths_lead_to_values() {
    check("inputs.x", json!(2));
    check("inputs['x']", json!(2));
    check("input.status", json!(200));
    check("nodes.a.output.items[1].name", json!("two"));
    check("nodes['a'].output['items'][0].n", json!(1));
    check("nodes.a.output.headers", json!({"b": 1, "a": 2}));
    check("nodes.b.output", json!(null));
    check("nodes.b.error", json!(null));
    check("nodes.failed.error.code", json!("timeout"));
    check("nodes.failed.error", json!({"code": "timeout", "message": "too slow"}));
    check("nodes.b.status", json!("skipped"));
    check("run.id", json!("r1"));
    check("trigger", json!(null));
    check("inputs.big", json!(18_446_744_073_709_551_615_u64));
}

#[test]
fn operators_and_functions() {
    check("inputs.x + 1", json!(3));
    check("inputs.x * inputs.price", json!(21.0));
    check("nodes.a.output.status < 400 && inputs.x == 2", json!(true));
    check("nodes.a.output.missing == 1 || true", json!(true));
    check("inputs.url.startsWith('https://') ? 'safe' : \"not\"", json!("safe"));
    check("input.items.filter(i, i.n > 1).map(i, i.name)", json!(["two"]));
    check("input.items.map(i, i.n > 1, i.name)", json!(["two"]));
    check("input.headers.map(k, k)", json!(["a", "b"]));
    check(
        "input.items.all(i, i.n > 0) && input.items.exists(i, i.n == 2) && input.items.exists_one(i, i.n == 1)",
        json!(true),
    );
    check("{'b': 1, 'a': [inputs.x, null, 1.5, 'x']}", json!({"a": [2, null, 1.5, "x"], "b": 1}));
    check("has(nodes.a.output.status) && !has(nodes.a.output.nothing) && !has(nodes.b.output.status)", json!(true));
    check("has(nodes.a.output) && !has(nodes.b.output) && has(inputs.x) && !has(inputs.y)", json!(true));
    check("size(input.items) + size('añb') + input.headers.size()", json!(7));
    check("-5 % 3 + -9223372036854775808 / 1000000000000000000", json!(-11));
    check("int('12') + int(1.9) + int(double('3'))", json!(16));
    check("'a,b'.split(',').join('-') + ' X '.trim().lowerAscii() + 'aa'.replace('a', 'b')", json!("a-bxbb"));
    check("'hello'.substring(1, 3) + string('hello'.indexOf('l'))", json!("el2"));
    check("'x1'.matches('^[a-z][0-9]$') && type(1) == int && 1 in [1, 2] && 'a' in input.headers", json!(true));
    check("'}}' + '${{' + r'\\d' + '''it's''' + \"\\u00e9\\x41\\101\\n\"", json!("}}${{\\dit'séAA\n"));
    check("1 == 1.0 && 1u == 1 && 0x10 == 16 && 1e3 == 1000.0 // a comment", json!(true));
    check("1 == '1'", json!(false));
}

#[test]
fn errors_say_what_is_wrong_where_and_how_to_mend_it() {
    check_error(
        "nodes.a.output.statsu",
        "no such key: `nodes.a.output` has no `statsu` (line 1, column 1); did you mean `status`?",
    );
    check_error("1 + inputs.y", "(line 1, column 5)");
    check_error("nodes.b.output.x", "`nodes.b.output` is null: there is nothing within it");
    check_error("nodes.b.output.x", "ask `nodes.b.status == \"succeeded\"` first");
    check_error("nodes.a.output.items[7]", "index 7 is outside the list, which has 2 items");
    check_error("inputs.x + 'a'", "`+` does not go together with an integer and text");
    check_error("inputs.x ? 1 : 2", "must be true or false, but it is an integer");
    check_error("1 / 0", "division by zero");
    check_error("1.0 / 0.0", "no number");
    check_error("9223372036854775807 + 1", "does not fit in 64 bits");
    check_error("input.items.map(i, i.nam)", "did you mean `name`?");
    check_error("9223372036854775808", "1:1: this number does not fit in 64 bits");
}

#[test]
fn what_is_no_expression_is_found_before_it_runs() {
    check_error("", "this expression is empty");
    check_error("1 +", "1:4: the end of the expression stands where a value should");
    check_error("inptus.x", "did you mean `inputs`?");
    check_error("nodes[inputs.x].output", "known only when it runs");
    check_error("nodes.a[inputs.x]", "known only when it runs");
    check_error("nodes.a", "by itself is no value");
    check_error("nodes.a.outptu.x", "did you mean `nodes.a.output`?");
    check_error("nodes.a.status_code", "a node has no `status_code`");
    check_error("nodes.A.output", "no node name");
    check_error("now()", "there is no function `now`");
    check_error("'a'.startWith('b')", "did you mean `startsWith`?");
    check_error("'abc", "is not closed");
    check_error("'a' = 'b'", "write `==`");
    check_error("b'x'", "byte strings");
    check_error("[1].map(in, 1)", "is a word of CEL");
    check_error("'a'.matches('(')", "no pattern");
    check_error("size(1, 2)", "too few or too many");
    check_error("1x", "no number");
    check_error("run.name", "`run.id`");
}

#[test]
fn references_are_known_before_it_runs() {
    let expression =
        Expression::compile("has(nodes.a.output.x) ? inputs.y + trigger.z : [1].map(input, input)", &start()).unwrap();
    let found: Vec<_> = expression.references().iter().map(|reference| reference.target.to_string()).collect();
    assert_eq!(found, ["nodes.a.output", "inputs.y", "trigger"]);
    assert_eq!(expression.references()[1].place.to_string(), "1:25");
}

#[test]
fn a_plain_path_means_the_same_with_and_without_the_short_cut() {
    for path in [
        "inputs",
        "inputs.x",
        "inputs.y",
        "input",
        "input.items[1]",
        "input.items[9].n",
        "nodes.a.output.headers.b",
        "nodes.b.output.q",
        "nodes.failed.error.code",
        "input.status.x",
        "input.none.x",
        "run.id",
    ] {
        let expression = Expression::compile(path, &start()).unwrap();
        let general =
            expression.general(&run(), &mut Budget::new()).map_err(|fault| expression.error(fault).to_string());
        let short = expression.evaluate(&run()).map_err(|error| error.to_string());
        assert_eq!(short, general, "{path}");
    }
}

#[test]
fn texts_hold_expressions() {
    for (text, expect) in [
        ("plain }} text", json!("plain }} text")),
        ("${{ inputs.x }}", json!(2)),
        ("${{inputs.x}}", json!(2)),
        (" ${{ inputs.x }}", json!(" 2")),
        ("${{ inputs.x }}${{ inputs.price }}", json!("210.5")),
        ("${{ '}}' }}", json!("}}")),
        ("a ${{ {'k': {'l': 1}} }} b", json!("a {\"k\":{\"l\":1}} b")),
        ("${{ nodes.b.output }}!", json!("null!")),
        ("${{ '${{' }} x", json!("${{ x")),
    ] {
        let template = Template::from_json(&json!({"a": [text]}), &start()).unwrap();
        assert_eq!(template.render(&run()).map_err(|e| e.to_string()), Ok(json!({"a": [expect]})), "{text}");
    }
    for (text, expect) in [
        ("a ${{ inputs.x", "is not closed"),
        ("${{ }}", "empty"),
        ("${{ 'a }}", "is not closed"),
        ("${{ 1 }} ${{ ) }}", "stands where"),
    ] {
        let problems = Template::from_json(&json!(text), &start()).unwrap_err();
        assert!(problems[0].message.contains(expect), "{text}: {problems:?}");
    }
}
