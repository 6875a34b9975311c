//! `template`: writes a text from values.

use std::fmt::Write as _;
use std::io;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use windflow_sdk::{Json, NodeError, config, node};

/// Steps that a template may take: enough for a page per item of a list of thousands, some tenths of a second.
const FUEL: u64 = 2_000_000;

/// A text is at most this long, in bytes.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// The text and what is put into it.
#[config]
pub struct Config {
    /// The text, with `{{ name }}`, `{% for item in list %}` and the other words of Jinja.
    template: String,
    /// The values by name; what came in, unless you write something else. What is no object is called `input`.
    #[serde(default = "windflow_sdk::input")]
    values: Json,
}

/// Writes the text.
#[node]
pub fn template(config: Config) -> Result<String, NodeError> {
    let mut environment = Environment::new();
    // A name that does not exist is a mistake where it is printed, but `{% if name %}` may ask for it.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    let template = environment.template_from_str(&config.template).map_err(|error| failure(&error))?;
    let values: Value = if config.values.as_str().starts_with('{') {
        config.values.parse()?
    } else {
        Json::from_text(["{\"input\":", config.values.as_str(), "}"].concat())?.parse()?
    };
    let mut text = Text(Vec::new());
    template.render_captured_to(values, &mut text).map_err(|error| failure(&error))?;
    String::from_utf8(text.0).map_err(|_| NodeError::new("template_failed", "the text is not UTF-8"))
}

/// A text that does not grow beyond its limit.
struct Text(Vec<u8>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failure(error: &Error) -> NodeError {
    let (code, remedy) = match error.kind() {
        ErrorKind::SyntaxError => ("template_syntax", ""),
        ErrorKind::UndefinedError => (
            "template_undefined",
            "; add it to `values`, or write `{{ name | default(\"…\") }}` where it may be missing",
        ),
        ErrorKind::OutOfFuel => ("template_too_long", ": it takes too many steps; give it fewer items"),
        ErrorKind::WriteFailure => ("template_too_long", ": the text is longer than 4 MiB; give it fewer items"),
        _ => ("template_failed", ""),
    };
    let mut message = String::from("the template");
    if let Some(line) = error.line() {
        _ = write!(message, ", line {line}");
    }
    if matches!(error.kind(), ErrorKind::OutOfFuel | ErrorKind::WriteFailure) {
        message.push_str(remedy);
    } else {
        _ = write!(message, ": {}", error.kind());
        if let Some(detail) = error.detail() {
            _ = write!(message, ": {detail}");
        }
        message.push_str(remedy);
    }
    NodeError::new(code, message)
}

windflow_sdk::plugin!(template);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::template;

    #[track_caller]
    fn check(template: &str, values: Value, expect: &str) {
        let emitted = testing::run(template::NODE, json!({ "template": template, "values": values })).unwrap();
        assert_eq!((emitted.port.as_str(), emitted.value), ("out", json!(expect)));
    }

    #[track_caller]
    fn check_fails(template: &str, values: Value, code: &str, message: &str) {
        let error = testing::run(template::NODE, json!({ "template": template, "values": values })).unwrap_err();
        assert_eq!(error.code, code, "{}", error.message);
        assert!(error.message.contains(message), "{}", error.message);
    }

    #[test]
    fn writes_values_into_text() {
        check("Hello {{ name }}", json!({ "name": "<Ada> é" }), "Hello <Ada> é");
        check(
            "{% for t in list %}- {{ t.id }}\n{% endfor %}",
            json!({ "list": [{ "id": 1 }, { "id": 2.5 }] }),
            "- 1\n- 2.5\n",
        );
        check(
            "{{ list | map(attribute='n') | join(', ') | upper }}",
            json!({ "list": [{ "n": "a" }, { "n": "b" }] }),
            "A, B",
        );
        check(
            "{{ object | tojson }}",
            json!({ "object": { "z": 1, "a": [true, null] } }),
            r#"{"z": 1, "a": [true, null]}"#,
        );
        check("{% if missing %}a{% else %}b{% endif %}{{ missing | default('c') }}", json!({}), "bc");
    }

    #[test]
    fn calls_what_is_no_object_input() {
        check("{{ input | length }} {{ input[0] }}", json!(["a", "b"]), "2 a");
        check("{{ input }}", json!("text"), "text");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        check_fails("one\n{{ nam }}", json!({ "name": 1 }), "template_undefined", "line 2");
        check_fails("one\n{{ nam }}", json!({ "name": 1 }), "template_undefined", "default(");
        check_fails("{% for x %}", json!({}), "template_syntax", "line 1");
        check_fails("{{ 1 | no_such_filter }}", json!({}), "template_failed", "no_such_filter");
    }

    #[test]
    fn ends_however_long_the_template_wants_to_be() {
        check_fails(
            "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
            json!({}),
            "template_too_long",
            "steps",
        );
        let long = "x".repeat(1024 * 1024);
        check_fails(
            "{% for i in range(9) %}{{ text }}{% endfor %}",
            json!({ "text": long }),
            "template_too_long",
            "4 MiB",
        );
    }
}
