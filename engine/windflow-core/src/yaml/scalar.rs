//! What plain text means by the core schema of YAML 1.2 (chapter 10.3).

use serde_json::{Number, Value};

/// The value of a plain scalar. Whatever is not null, a boolean or a number is text: `yes`, `on` and `0o17x` are.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return plain_radix(hexadecimal, 16);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return plain_radix(octal, 8);
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !digits.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        // What does not fit 64 bits is kept as a double, as JSON does.
        return unsigned.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(unsigned.parse().ok()?));
    }
    if digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return Number::from_f64(text.parse().ok()?);
    }
    None
}

fn plain_radix(digits: &str, radix: u32) -> Option<Number> {
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| i64::from_str_radix(digits, radix).ok().map(Number::from)).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn plain_text_is_what_yaml_1_2_says() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("true", json!(true)),
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("012", json!(12)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0xzz", json!("0xzz")),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1.2.3", json!("1.2.3")),
            ("-", json!("-")),
            (".", json!(".")),
            ("1_000", json!("1_000")),
            ("10s", json!("10s")),
            ("2026-11-20", json!("2026-11-20")),
            (".inf", json!(".inf")),
            ("18446744073709551616", json!(18446744073709551616.0)),
        ] {
            assert_eq!(super::resolve(text), value, "{text}");
        }
    }
}
