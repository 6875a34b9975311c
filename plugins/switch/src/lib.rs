//! `switch`: goes the way of the first case that equals a value.

use windflow_sdk::serde_json::Value;
use windflow_sdk::{Emission, Fields, Json, NodeError, config, node};

/// What decides, and what is handed on.
#[config]
pub struct Config {
    /// What the cases are compared with.
    value: Json,
    /// The ports by name, each with the value that leads there. The first that is equal is taken.
    cases: Fields<Json>,
    /// What is handed on; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
}

/// Hands the input on, out of the port of the first case that equals the value, else out of `default`.
#[node]
pub fn switch(config: Config) -> Result<Emission<Json>, NodeError> {
    let mut value = None;
    for (port, case) in config.cases {
        if case == config.value {
            return Ok(Emission::new(port, config.input));
        }
        // The same value can be written in several ways: `1` and `1.0`, or fields in another order.
        let value = match &value {
            Some(value) => value,
            None => value.insert(config.value.parse()?),
        };
        if equal(value, &case.parse()?) {
            return Ok(Emission::new(port, config.input));
        }
    }
    Ok(Emission::new("default", config.input))
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // Whole numbers stay exact; only a fraction is compared as one.
        (Value::Number(left), Value::Number(right)) if left.is_f64() || right.is_f64() => {
            left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

windflow_sdk::plugin!(switch);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::switch;

    #[track_caller]
    fn check(value: Value, cases: Value, port: &str) {
        let input = json!({ "kept": [1, 2] });
        let config = json!({ "value": value, "cases": cases, "input": input });
        let emitted = testing::run(switch::NODE, config).unwrap();
        assert_eq!((emitted.port.as_str(), emitted.value), (port, input));
    }

    #[test]
    fn takes_the_case_that_is_equal() {
        check(json!("b"), json!({ "first": "a", "second": "b" }), "second");
        check(json!("c"), json!({ "first": "a", "second": "b" }), "default");
        check(json!(null), json!({ "nothing": null }), "nothing");
        check(json!(1), json!({ "text": "1", "number": 1 }), "number");
        check(json!("x"), json!({}), "default");
    }

    #[test]
    fn takes_the_first_of_several() {
        check(json!("a"), json!({ "z": "a", "y": "a" }), "z");
    }

    #[test]
    fn compares_values_and_not_how_they_are_written() {
        check(json!(1), json!({ "one": 1.0 }), "one");
        check(json!([1, { "n": 2.0 }]), json!({ "list": [1.0, { "n": 2 }] }), "list");
        check(json!({ "a": 1, "b": 2 }), json!({ "object": { "b": 2, "a": 1 } }), "object");
        check(json!({ "a": 1 }), json!({ "object": { "a": 1, "b": 2 } }), "default");
        check(json!("é"), json!({ "letter": "\u{e9}" }), "letter");
        let large = 9_007_199_254_740_993_i64;
        check(json!(large), json!({ "less": large - 1, "large": large }), "large");
    }
}
