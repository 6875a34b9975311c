//! Expressions that are meant to hurt.

use std::time::{Duration, Instant};

use super::*;

/// Evaluates in bounded time, whatever comes of it. The bound is wide: debug builds on busy machines are slow.
fn bounded(source: &str, inputs: &Value) -> Result<Value, String> {
    let began = Instant::now();
    let result = Expression::compile(source, &start())
        .map_err(|problem| problem.message)
        .and_then(|expression| expression.evaluate(inputs).map_err(|error| error.message));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{} took {took:?}", &source[..source.len().min(80)]);
    result
}

#[test]
fn doubling_ends_when_the_budget_is_spent() {
    let text = format!("['aaaaaaaa']{}", ".map(x, x + x)".repeat(40));
    let lists = format!("[[1]]{}", ".map(x, x + x)".repeat(40));
    let shared = format!("[[1]]{}", ".map(x, [x, x])".repeat(40));
    let compared = format!("[[1]]{0} == [[1]]{0}", ".map(x, [x, x])".repeat(40));
    let replaced = format!("'a'{}", ".replace('a', 'aaaaaaaaaa')".repeat(30));
    for source in [text, lists, shared, compared, replaced] {
        let error = bounded(&source, &json!({})).unwrap_err();
        assert!(
            error.contains("builds more") || error.contains("too much work") || error.contains("nested too deep"),
            "{error}"
        );
    }
}

#[test]
fn loops_within_loops_over_long_lists_end() {
    let inputs = json!({"l": (0..10_000).collect::<Vec<_>>()});
    let error = bounded("inputs.l.map(x, inputs.l.map(y, inputs.l.map(z, x + y + z)))", &inputs).unwrap_err();
    assert!(error.contains("too much work") || error.contains("builds more"), "{error}");
    // What is spent stays spent: `||` must not go on with the next loop.
    let source = format!("{} true", "inputs.l.all(x, inputs.l.all(y, inputs.l.all(z, z >= 0))) || ".repeat(20));
    assert!(bounded(&source, &inputs).unwrap_err().contains("too much work"));
    assert!(
        bounded("[1].map(a, [1].map(b, [1].map(c, [1].map(d, 1))))", &inputs).unwrap_err().contains("comprehensions")
    );
    assert_eq!(bounded("inputs.l.filter(x, x % 2 == 0).map(x, {'n': x}).size()", &inputs), Ok(json!(5000)));
}

#[test]
fn nesting_is_bounded_before_it_is_walked() {
    for source in [
        "(".repeat(4000),
        "[".repeat(4000),
        "!".repeat(4000),
        "-".repeat(4000),
        "{'a':".repeat(800),
        "1+".repeat(2000) + "1",
        "true?1:".repeat(500) + "1",
        "[1]".to_owned() + &"[0]".repeat(1000),
        "size(".repeat(800),
        "'a'".to_owned() + &".trim()".repeat(500),
        "1 == ".repeat(700) + "1",
    ] {
        let error = bounded(&source, &json!({})).unwrap_err();
        assert!(error.contains("nested too deep") || error.contains("stands where"), "{error}");
    }
    assert!(bounded(&"1".repeat(5000), &json!({})).unwrap_err().contains("4096 bytes"));
}

#[test]
fn patterns_are_bounded() {
    assert!(
        bounded("'a'.matches('((((a{100}){100}){100}){100}){100}')", &json!({})).unwrap_err().contains("no pattern")
    );
    let inputs = json!({"t": "a".repeat(5_000_000), "p": "(a*)*b", "q": "(a{1,40}){1,20}b"});
    let _ = bounded("inputs.t.matches(inputs.p)", &inputs);
    let _ = bounded("inputs.t.matches(inputs.q)", &inputs);
    let _ = bounded("['a','b'].map(x, inputs.t.matches('(a?){30}a{30}'))", &inputs);
}

#[test]
fn a_template_builds_no_more_than_it_may() {
    let inputs = json!({"t": "a".repeat(4 << 20)});
    let many = Template::from_json(&json!(vec!["${{ inputs.t }}"; 100]), &start()).unwrap();
    assert!(many.render(&inputs).unwrap_err().message.contains("builds more"));
}

#[test]
fn a_large_output_is_not_converted_for_one_field() {
    let inputs = json!({"large": (0..300_000).map(|n| json!({"n": n})).collect::<Vec<_>>(), "small": 1});
    let expression = Expression::compile("inputs.small + inputs.large[7].n", &start()).unwrap();
    let began = Instant::now();
    for _ in 0..1000 {
        assert_eq!(expression.evaluate(&inputs), Ok(json!(8)));
    }
    assert!(began.elapsed() < Duration::from_secs(1));
}

proptest::proptest! {
    #[test]
    fn arbitrary_sources_are_no_panic(source in "\\PC{0,60}", words in proptest::collection::vec(proptest::sample::select(vec!["inputs", ".", "(", ")", "[", "]", "'", "\"", "\\", "map", "x", ",", "1", "0x", "e", "u", "?", ":", "{", "}", "has", "in", "-", "r", "'''", "//", "\n", "é"]), 0..30)) {
        let _ = bounded(&source, &json!({"x": 1}));
        let _ = bounded(&words.concat(), &json!({"x": 1}));
        let _ = Template::from_json(&json!(format!("a ${{{{ {} }}}} b", words.concat())), &start());
    }
}
