//! Sizes, durations and command lines as Compose documents write them.

/// A number of bytes: `512m`, `1gb`, `1.5g`, `1024`.
pub(crate) fn bytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: f64 = match unit.trim() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let value = number.parse::<f64>().ok()? * factor;
    #[allow(clippy::cast_possible_truncation, reason = "within the range of i64, as the line before says")]
    (value.is_finite() && (0.0..9.0e18).contains(&value)).then_some(value as i64)
}

/// A duration in milliseconds: `1m30s`, `500ms`, `2h`.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "ns" => 1e-6,
                "us" | "µs" => 1e-3,
                "ms" => 1.0,
                "s" => 1e3,
                "m" => 6e4,
                "h" => 3.6e6,
                "d" => 8.64e7,
                _ => return None,
            };
        rest = &rest[end..];
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and within a year")]
    (total <= 3.2e10).then_some(total.ceil() as u64)
}

/// The words of a command line, by the shell's quoting; nothing where a quote does not end.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' => {
                if std::mem::take(&mut inside) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            '\\' => word.push(characters.next()?),
            '\'' => loop {
                match characters.next()? {
                    '\'' => break,
                    other => word.push(other),
                }
            },
            '"' => loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => match characters.next()? {
                        escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                        other => word.extend(['\\', other]),
                    },
                    other => word.push(other),
                }
            },
            other => word.push(other),
        }
        inside = true;
    }
    if inside {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, value) in [("512m", 512 << 20), ("1gb", 1 << 30), ("1.5k", 1536), ("7", 7), ("64 MiB", 64 << 20)] {
            assert_eq!(bytes(text), Some(value), "{text}");
        }
        for bad in ["", "m", "1x", "-1m", "1.2.3m", "99999999999999999999t"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        for (text, value) in
            [("1m30s", 90_000), ("500ms", 500), ("2h", 7_200_000), ("1.5s", 1500), ("0", 0), ("10us", 1)]
        {
            assert_eq!(milliseconds(text), Some(value), "{text}");
        }
        for bad in ["", "5", "s", "1x", "-1s", "99999999h"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn command_lines() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text).unwrap(), expect, "{text}");
        check("a  b\tc", &["a", "b", "c"]);
        check("sh -c 'a \"b\"' \"c $x\" d\\ e ''", &["sh", "-c", "a \"b\"", "c $x", "d e", ""]);
        check("a\"b\"'c'", &["abc"]);
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("a \\"), None);
    }
}
