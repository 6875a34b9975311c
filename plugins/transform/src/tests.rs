use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::testing;

use crate::transform;

#[track_caller]
fn run(input: Value, field: &str, operation: Value) -> Result<Value, windflow_sdk::NodeError> {
    let emitted = testing::run(transform::NODE, json!({ "input": input, field: operation }))?;
    assert_eq!(emitted.port, "out");
    Ok(emitted.value)
}

#[track_caller]
fn check(input: Value, field: &str, operation: Value, expect: Value) {
    // As text, since the order of fields counts.
    assert_eq!(run(input, field, operation).unwrap().to_string(), expect.to_string());
}

#[track_caller]
fn check_jq(input: Value, filter: &str, expect: Value) {
    check(input, "jq", json!(filter), expect);
}

#[track_caller]
fn check_fails(input: Value, field: &str, operation: Value, code: &str, message: &str) {
    let error = run(input, field, operation).unwrap_err();
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(message), "{}", error.message);
}

#[test]
fn sets_fields() {
    check(
        json!({ "z": 1, "a": 2 }),
        "set",
        json!({ "z": [3], "b.c": "new" }),
        json!({ "z": [3], "a": 2, "b": { "c": "new" } }),
    );
    check(
        json!({ "list": [{ "n": 1 }] }),
        "set",
        json!({ "list.0.n": 2, "list.1.n": 3 }),
        json!({ "list": [{ "n": 2 }, { "n": 3 }] }),
    );
    check(json!(null), "set", json!({ "a\\.b": 1 }), json!({ "a.b": 1 }));
    check_fails(json!({ "a": 1 }), "set", json!({ "a.b": 1 }), "no_such_field", "`a` is neither");
    check_fails(json!({ "a": [] }), "set", json!({ "a.5": 1 }), "no_such_field", "a list of 0 items");
    check_fails(json!({}), "set", json!({ "a..b": 1 }), "invalid_config", "`a..b`");
}

#[test]
fn picks_fields() {
    let input = json!({ "id": 1, "user": { "name": "Ada", "key": "x" }, "rest": true });
    check(input.clone(), "pick", json!(["user.name", "id", "missing"]), json!({ "user": { "name": "Ada" }, "id": 1 }));
    check_fails(json!([input]), "pick", json!(["id"]), "no_object", "map({ id, name })");
}

#[test]
fn renames_fields() {
    check(
        json!({ "a": 1, "b": { "c": 2 } }),
        "rename",
        json!({ "a": "x", "b.c": "y", "no": "z" }),
        json!({ "b": {}, "x": 1, "y": 2 }),
    );
    check(json!({ "a": 1, "b": 2 }), "rename", json!({ "a": "b", "b": "a" }), json!({ "b": 1, "a": 2 }));
}

#[test]
fn removes_fields() {
    check(
        json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": [1, 2] }),
        "remove",
        json!(["b.c", "e.0", "no.thing"]),
        json!({ "a": 1, "b": { "d": 3 }, "e": [2] }),
    );
}

#[test]
fn wants_exactly_one_operation() {
    let error = testing::run(transform::NODE, json!({ "input": 1 })).unwrap_err();
    assert_eq!(error.code, "invalid_config");
    let error = testing::run(transform::NODE, json!({ "input": 1, "jq": ".", "pick": [] })).unwrap_err();
    assert!(error.message.contains("exactly one"), "{}", error.message);
}

#[test]
fn runs_filters() {
    check_jq(json!({ "b": 1, "a": [1, 2] }), ".", json!({ "b": 1, "a": [1, 2] }));
    check_jq(json!([{ "n": 3 }, { "n": 1 }]), "map(.n) | sort", json!([1, 3]));
    check_jq(
        json!([{ "g": "a", "p": 1 }, { "g": "b", "p": 2 }, { "g": "a", "p": 3 }]),
        "group_by(.g) | map({ g: .[0].g, sum: (map(.p) | add) }) | sort_by(-.sum)",
        json!([{ "g": "a", "sum": 4 }, { "g": "b", "sum": 2 }]),
    );
    check_jq(json!([]), ". + [{ total: (map(.x) | add // 0) }]", json!([{ "total": 0 }]));
    check_jq(json!({ "a": { "b": [1, { "c": 2 }] } }), "[.. | numbers]", json!([1, 2]));
    check_jq(
        json!({ "a": 1, "b": 2 }),
        "with_entries(.value += 1) | to_entries | from_entries",
        json!({ "a": 2, "b": 3 }),
    );
    check_jq(json!({ "a": 1, "b": null }), "del(.b) | \"\\(.a) is \\(.a | type)\"", json!("1 is number"));
    check_jq(
        json!([3, 1, 2, 3]),
        "[unique, min, max, length, (any(. > 2)), all(. > 2)]",
        json!([[1, 2, 3], 1, 3, 4, true, false]),
    );
    check_jq(json!("a,b"), "split(\",\") | join(\"-\") | ascii_upcase", json!("A-B"));
    check_jq(json!([[1, [2]], []]), "[flatten, (. | paths)]", json!([[1, 2], [0], [0, 0], [0, 1], [0, 1, 0], [1]]));
    check_jq(json!({ "a": [1, 2] }), "walk(if type == \"number\" then . + 1 else . end) | .a[1:] | first", json!(3));
    check_jq(json!(null), "[limit(3; repeat(1))], (try error(\"x\") catch .) | select(isarray)", json!([1, 1, 1]));
    check_jq(
        json!([1, 2]),
        "reduce .[] as $x (0; . + $x) | [., (4 | sqrt), pow(2; 10), (7 / 2 | floor)]",
        json!([3, 2, 1024, 3]),
    );
}

#[test]
fn runs_filters_on_text() {
    check_jq(
        json!("foo bar"),
        "[test(\"BAR\"; \"i\"), sub(\"o+\"; \"0\"), gsub(\"(?<x>[aeiou])\"; \"<\\(.x)>\")]",
        json!([true, "f0 bar", "f<o><o> b<a>r"]),
    );
    check_jq(json!("2026-01-02"), "capture(\"(?<y>\\\\d+)-(?<m>\\\\d+)\") | .y + .m", json!("202601"));
    check_jq(json!("é1 b2"), "[match(\"\\\\d\"; \"g\").offset] + [scan(\"[a-z]\\\\d\")]", json!([1, 4, "b2"]));
    check_jq(
        json!("a<b> c&"),
        "[@base64, (@base64 | @base64d), @uri, @html, ([1, \"a\\\"b\", null] | @csv), ([1, \"t\\t\"] | @tsv)]",
        json!(["YTxiPiBjJg==", "a<b> c&", "a%3Cb%3E%20c%26", "a&lt;b&gt; c&amp;", "1,\"a\"\"b\",", "1\tt\\t"]),
    );
    check_jq(json!({ "t": "{\"x\":[1]}" }), ".t | fromjson | .x[0], (.x | tojson) | select(isstring)", json!("[1]"));
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"{"input":[1.10,12345678901234567890,5000000000],"jq":"map(.)"}"#;
    let emission = (transform::NODE.execute)(text.as_bytes()).unwrap();
    assert_eq!(emission.value, b"[1.10,12345678901234567890,5000000000]");
    check_jq(json!([5_000_000_000_i64, 1]), "add", json!(5_000_000_001_i64));
}

#[test]
fn says_what_is_wrong_with_a_filter() {
    check_fails(json!(1), "jq", json!(".a.b\n| map(."), "jq_syntax", "at its end");
    check_fails(
        json!(1),
        "jq",
        json!(".\n  | nosuch(1)"),
        "jq_undefined",
        "line 2, column 5: there is no filter `nosuch` with 1 arguments",
    );
    check_fails(json!(1), "jq", json!("$x"), "jq_undefined", "no variable `$x`");
    check_fails(json!(1), "jq", json!(".a"), "jq_failed", "cannot index 1 with");
    check_fails(json!(1), "jq", json!("error(\"mine\")"), "jq_failed", "mine");
    check_fails(json!([1, 2]), "jq", json!(".[]"), "several_values", "[ ]");
    check_fails(json!([]), "jq", json!(".[]"), "no_value", "// null");
    check_fails(json!(1), "jq", json!(". / 0"), "no_number", "division by zero");
    check_fails(json!(1), "jq", json!("now"), "jq_undefined", "neither time");
    check_fails(json!("x"), "jq", json!("test(\"(\")"), "jq_failed", "no regular expression");
}
