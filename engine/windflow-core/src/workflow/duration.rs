//! Durations as people write them.

use std::time::Duration;

/// The longest duration that a document may hold.
const MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads `500ms`, `10s`, `5m`, `1h30m`, `2d`: numbers with units, the larger units first.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    let mut last = u128::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| (1..=9).contains(at))?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(24 * 3600),
            _ => return None,
        };
        rest = &rest[end..];
        if unit.as_millis() >= last {
            return None;
        }
        last = unit.as_millis();
        total = total.checked_add(unit.checked_mul(u32::try_from(number).ok()?)?)?;
    }
    (total <= MAX).then_some(total)
}

/// Writes a duration as documents have it: `1h30m`. Parts of a millisecond are left out.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, milliseconds) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= milliseconds {
            text.push_str(&format!("{}{unit}", rest / milliseconds));
            rest %= milliseconds;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::format_duration;
    #[test]
    fn durations_read_as_people_write_them() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("30m1h", None),
            ("1s1s", None),
            ("400d", None),
            ("99999999999999999999s", None),
            ("1é", None),
        ] {
            assert_eq!(super::parse(text).map(|duration| duration.as_millis()), milliseconds, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["0s", "500ms", "1m30s", "2d1h", "1s5ms"] {
            assert_eq!(format_duration(super::parse(text).unwrap()), text);
        }
    }
}
