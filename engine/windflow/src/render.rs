//! What people see. Everything but results goes to stderr.

use std::io::Write;

use console::{Style, style};

pub(crate) mod live;
pub(crate) mod run;
pub(crate) mod table;

/// Prints an error.
pub(crate) fn error(text: &str) {
    line(&format!("{} {text}", style("error:").red().bold().for_stderr()));
}

/// Prints a line to stderr. A closed stderr is no reason to fail.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a result to stdout.
///
/// # Errors
/// When stdout is closed or full.
pub(crate) fn result(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Prints a value as indented JSON to stdout.
///
/// # Errors
/// As [`result`].
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    result(&serde_json::to_string_pretty(value)?)
}

/// The sign and colour of a status.
pub(crate) fn status(word: &str) -> String {
    let (sign, look) = match word {
        "succeeded" => ("✓", Style::new().green()),
        "failed" => ("✗", Style::new().red()),
        "cancelled" => ("⊘", Style::new().yellow()),
        "skipped" | "not_run" | "pending" => ("○", Style::new().dim()),
        "reused" => ("✓", Style::new().dim()),
        "waiting" => ("⏸", Style::new().yellow()),
        "retrying" => ("↻", Style::new().yellow()),
        _ => ("●", Style::new().cyan()),
    };
    look.for_stderr().apply_to(format!("{sign} {}", word.replace('_', " "))).to_string()
}

/// A duration in as few characters as tell it.
pub(crate) fn duration(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..10_000 => format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        1_000_000..60_000_000 => format!("{}.{} s", microseconds / 1_000_000, microseconds % 1_000_000 / 100_000),
        _ => format!("{} min {} s", microseconds / 60_000_000, microseconds % 60_000_000 / 1_000_000),
    }
}

/// The day of an instant.
pub(crate) fn day(at: windflow_core::run::Timestamp) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// An instant, to the second, where the user is.
pub(crate) fn time(at: windflow_core::run::Timestamp) -> String {
    // Fractions of a second help nobody who looks for yesterday's run.
    jiff::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(0))
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// A number of bytes in as few characters as tell it.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

/// The first line of a text, at most so many characters of it.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    console::truncate_str(first, most, "…").into_owned()
}

/// The same on a terminal. What goes elsewhere is searched and compared, and stays whole.
pub(crate) fn fit(text: &str, most: usize) -> String {
    if console::user_attended() { shorten(text, most) } else { text.replace('\n', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (microseconds, expect) in
            [(13, "13 µs"), (1_250, "1.2 ms"), (12_500, "12 ms"), (1_250_000, "1.2 s"), (75_000_000, "1 min 15 s")]
        {
            assert_eq!(duration(microseconds), expect);
        }
    }

    #[test]
    fn sizes_are_short() {
        for (size, expect) in [(999, "999 B"), (1_250, "1.2 kB"), (12_500_000, "12.5 MB"), (7_000_000_000, "7.0 GB")] {
            assert_eq!(bytes(size), expect);
        }
    }
}
