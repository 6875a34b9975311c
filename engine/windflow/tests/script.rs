//! JavaScript of users, in the packed plugin, run by the binary: what it can do, and what it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::time::{Duration, Instant};

use common::{Place, windflow};
use serde_json::{Value, json};

/// Runs each code by itself, and gives what came of it: the output, or the failure's code and message.
fn run(codes: &[&str]) -> Vec<Result<Value, (String, String)>> {
    let document = json!({
        "windflow": 1, "name": "scripts",
        "inputs": { "codes": { "type": "array" } },
        "nodes": { "each": {
            "uses": "script@1", "for_each": "${{ inputs.codes }}", "on_item_error": "collect", "concurrency": 2, "timeout": "4s",
            "with": { "code": "${{ item }}", "input": { "numbers": [1, 2, 3], "name": "Ada" }, "values": { "rate": 0.5 } },
        } },
        "outputs": { "given": "${{ nodes.each.output }}", "failed": "${{ nodes.each.error }}" },
    });
    let place = Place::new(&document.to_string());
    let data = place.folder.path().join("data");
    // The first attempt waits for the engine of JavaScript to be compiled, which its timeout does not count.
    let output = windflow(&data)
        .args(["run", place.path(), "--json", "-i", &format!("codes={}", json!(codes))])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    assert_eq!(report["status"], "succeeded", "{report:#}\n{told}");
    let mut came: Vec<_> = report["outputs"]["given"].as_array().unwrap().iter().cloned().map(Ok).collect();
    for failure in report["outputs"]["failed"].as_array().into_iter().flatten() {
        let index = usize::try_from(failure["item_index"].as_u64().unwrap()).unwrap();
        let text = |field: &str| failure[field].as_str().unwrap_or_default().to_owned();
        came[index] = Err((text("code"), text("message")));
    }
    came
}

#[test]
fn code_is_a_body_an_expression_or_a_function_and_has_no_world() {
    let good = [
        (
            "const sum = input.numbers.reduce((a, b) => a + b, 0);\nreturn { sum, half: sum * values.rate };",
            json!({ "sum": 6, "half": 3 }),
        ),
        ("input.numbers.map(n => n * 2);", json!([2, 4, 6])),
        ("({ name }, { rate }) => `${name} ${rate}`", json!("Ada 0.5")),
        ("{ name: input.name } // an object, and not a block", json!({ "name": "Ada" })),
        ("console.log('seen', input); console.warn(undefined, 1n, () => 1);", json!(null)),
        ("return Promise.resolve(7).then(n => n + 1)", json!(8)),
        ("(async () => { await null; return 'later' })()", json!("later")),
        (
            "return [/(\\d+)-(\\d+)/.exec('10-20')[2], 'é'.toUpperCase(), [3, 1, 2].sort(), new Map([[1, 2]]).get(1)]",
            json!(["20", "É", [1, 2, 3], 2]),
        ),
        (
            "return [typeof fetch, typeof require, typeof process, typeof setTimeout, typeof Deno, typeof WebAssembly]",
            json!(vec!["undefined"; 6]),
        ),
        (
            "return [Date.now(), new Date().getTime(), new Date(0).toISOString(), new Date(2026, 0, 1).getTimezoneOffset()]",
            json!([0, 0, "1970-01-01T00:00:00.000Z", 0]),
        ),
        // Nothing is left of what another did.
        (
            "Array.prototype.map = () => 'mine'; JSON.stringify = () => 'mine'; globalThis.left = 1; return [1].map(x => x)",
            json!("mine"),
        ),
        ("return [[1].map(x => x), typeof left]", json!([[1], "undefined"])),
        ("return Math.random()", Value::Null),
        ("return Math.random()", Value::Null),
    ];
    let came = run(&good.each_ref().map(|(code, _)| *code));
    for ((code, expected), came) in good.iter().zip(&came).take(12) {
        assert_eq!(came.as_ref(), Ok(expected), "{code}");
    }
    assert!(came[12].as_ref().is_ok_and(Value::is_number), "{:?}", came[12]);
    assert_eq!(came[12], came[13], "there is no chance: a run that is computed again comes to the same end");
}

#[test]
fn mistakes_name_their_place_and_hostile_code_fails_alone_and_in_time() {
    let cases = [
        ("const a = 1;\nreturn a +;", "script_syntax", "line 2"),
        ("return (", "script_syntax", "the code"),
        ("const f = () => {\n  return input.nothing.at.all;\n};\nreturn f();", "script_failed", "line 2, column"),
        ("\n\n  throw new RangeError('too much')", "script_failed", "line 3, column"),
        ("throw 'just text'", "script_failed", "just text"),
        ("undeclared = 1", "script_failed", "undeclared"),
        ("return 10n", "script_failed", "bigint"),
        ("const a = {}; a.a = a; return a", "script_failed", "the code"),
        ("return new Promise(() => {})", "script_failed", "nothing will ever fulfil"),
        ("return Promise.reject(new Error('refused'))", "script_failed", "refused"),
        ("for (;;) {}", "timeout", ""),
        ("return /^(a+)+$/.test('a'.repeat(40) + 'b')", "timeout", ""),
        ("const all = []; for (;;) all.push(new Array(10000).fill(all.length))", "", ""),
        ("let s = 'x'; for (;;) s += s", "out_of_memory", "64 MiB"),
        ("const f = () => f() + 1; return f()", "script_failed", ""),
        ("let o = {}; for (let i = 0; i < 100000; i++) o = { o }; return o", "", ""),
        ("return 'x'.repeat(20 * 1024 * 1024)", "", ""),
        ("await import('fs')", "script_syntax", ""),
        ("return import('fs').then(fs => fs.readFileSync('/etc/passwd'))", "script_failed", ""),
        ("return (function () { return this }).constructor('return 1 + 1')()", "", ""),
    ];
    let nested = format!("return {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let mut codes = cases.map(|(code, ..)| code).to_vec();
    codes.push(&nested);
    codes.push("return 'still here'");
    let begun = Instant::now();
    let came = run(&codes);
    assert!(begun.elapsed() < Duration::from_secs(240), "{:?}", begun.elapsed());
    for ((code, kind, part), came) in cases.iter().zip(&came) {
        // What has no code here may end in one way or another, but never takes anything else along.
        if kind.is_empty() {
            continue;
        }
        let (found, message) = came.as_ref().expect_err(code);
        assert!(found == kind && message.contains(part), "{code}\n{found}: {message}");
    }
    assert!(came[cases.len()].is_err());
    assert_eq!(came[cases.len() + 1], Ok(json!("still here")));
}
