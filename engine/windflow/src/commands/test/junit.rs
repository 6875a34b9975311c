//! Outcomes as JUnit's XML, which CI systems read.

use std::fmt::Write as _;

use super::Outcome;

pub(crate) fn report(outcomes: &[Outcome]) -> String {
    let failures = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"windflow\" tests=\"{}\" failures=\"{failures}\">\n",
        outcomes.len()
    );
    for outcome in outcomes {
        let subject = escape(&outcome.subject.display().to_string());
        let (name, seconds) = (escape(&outcome.name), outcome.took.as_secs_f64());
        let _ = write!(xml, "  <testcase classname=\"{subject}\" name=\"{name}\" time=\"{seconds:.3}\"");
        if outcome.differences.is_empty() {
            xml.push_str("/>\n");
        } else {
            let message = escape(&outcome.differences[0]);
            let all = escape(&outcome.differences.join("\n"));
            let _ = writeln!(xml, ">\n    <failure message=\"{message}\">{all}</failure>\n  </testcase>");
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// What XML can hold, with its own signs escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
