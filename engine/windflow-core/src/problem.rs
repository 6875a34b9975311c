//! What is wrong with a document, said so that it can be mended.

use std::fmt::Write as _;

use serde::Serialize;

use crate::place::Place;

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable, in snake case.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Problem {
    /// An error.
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: place.clone(), remedy: None }
    }

    /// A warning.
    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// An error of the document as a whole.
    pub fn document(code: &'static str, message: impl Into<String>) -> Self {
        Self::error(code, &Place { line: 1, column: 1, bytes: 0..0 }, message)
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds how to mend it, where something is known.
    #[must_use]
    pub fn remedy_if(mut self, remedy: Option<String>) -> Self {
        self.remedy = remedy.or(self.remedy);
        self
    }

    /// Whether the document cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Problems that are told of one document. Whoever has more is helped by none of them.
pub(crate) const MAX_TOLD: usize = 200;

/// Sorts problems by their place, so that they read as the document does, drops repetitions, and tells how many there are
/// where there are too many to tell.
pub fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| (a.place.bytes.start, a.code, &a.message).cmp(&(b.place.bytes.start, b.code, &b.message)));
    problems.dedup();
    if let Some(last) = problems.get(MAX_TOLD).map(|problem| problem.place.clone()) {
        let (more, is_error) = (problems.len() - MAX_TOLD, problems.iter().any(Problem::is_error));
        problems.truncate(MAX_TOLD);
        let message = format!("there are {more} more problems from here on");
        problems.push(if is_error {
            Problem::error("more", &last, message)
        } else {
            Problem::warning("more", &last, message)
        });
    }
}

/// The remedy "did you mean …", where one of the known words is close to what was written.
#[must_use]
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|word| format!("did you mean `{word}`?"))
}

/// The known word that is closest to what was written, if any is close at all.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths: what is longer than any name of ours is not a misspelling of one.
    if written.len() > 128 {
        return None;
    }
    let limit = (written.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter(|word| word.len() <= 128 && word.len().abs_diff(written.len()) <= 4 * limit && *word != written)
        .map(|word| {
            let distance = strsim::damerau_levenshtein(&written.to_ascii_lowercase(), &word.to_ascii_lowercase());
            (distance, word)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, word)| word)
}

/// Lists words for a message, a dozen at most.
#[must_use]
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    let mut text = words.iter().take(12).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if words.len() > 12 {
        let _ = write!(text, " and {} more", words.len() - 12);
    }
    text
}

/// Renders problems for people: `file:line:column: error[code]: message`, the line with what is meant underlined, and the
/// remedy.
#[must_use]
pub fn render(file: &str, text: &str, problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let severity = if problem.is_error() { "error" } else { "warning" };
        let message = visible(&problem.message);
        let _ = writeln!(out, "{file}:{}: {severity}[{}]: {message}", problem.place, problem.code);
        excerpt(&mut out, text, &problem.place);
        if let Some(remedy) = &problem.remedy {
            let _ = writeln!(out, "  = {}", visible(remedy));
        }
    }
    out
}

/// Whether a reader does not see a character, or it makes a text look like another one, or steers a terminal.
pub(crate) fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Messages quote what somebody wrote.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Longest part of a source line that is shown, in characters.
const EXCERPT_CHARS: usize = 120;

fn excerpt(out: &mut String, text: &str, place: &Place) {
    let Some(before) = text.get(..place.bytes.start) else { return };
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let column = before[start..].chars().count();
    // A line longer than the excerpt is shown from shortly before the place.
    let skip = if column > EXCERPT_CHARS / 2 { column - EXCERPT_CHARS / 4 } else { 0 };
    // Control characters would move the caret, or the reader's terminal.
    let shown: String = line
        .chars()
        .skip(skip)
        .take(EXCERPT_CHARS)
        .map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c })
        .collect();
    let length =
        text.get(place.bytes.clone()).map_or(1, |part| part.lines().next().unwrap_or_default().chars().count());
    let room = shown.chars().count().saturating_sub(column - skip).max(1);
    let number = place.line.to_string();
    let _ = writeln!(out, " {number} | {}", shown.trim_end());
    let _ = writeln!(
        out,
        " {:width$} | {:indent$}{}",
        "",
        "",
        "^".repeat(length.clamp(1, room)),
        width = number.len(),
        indent = column - skip
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_show_the_line_and_underline_what_is_meant() {
        let text = "a: 1\nb: [é, xyz]\n";
        let place = Place { line: 2, column: 8, bytes: 13..16 };
        let problem = Problem::error("unknown_word", &place, "`xyz` is unknown").remedy("did you mean `xy`?");
        let expected = "f.yaml:2:8: error[unknown_word]: `xyz` is unknown\n 2 | b: [é, xyz]\n   |        ^^^\n  = did you mean `xy`?\n";
        assert_eq!(render("f.yaml", text, &[problem]), expected);
    }

    #[test]
    fn places_outside_the_text_are_no_panic() {
        for bytes in [99..120, 3..99, 1..2] {
            let problem = Problem::error("x", &Place { line: 9, column: 9, bytes }, "m");
            assert!(render("f", "é\n", &[problem]).starts_with("f:9:9: error[x]: m\n"));
        }
    }

    #[test]
    fn what_somebody_wrote_steers_no_terminal() {
        let place = Place { line: 1, column: 1, bytes: 0..4 };
        let problem = Problem::error("x", &place, "`\u{1b}[2J` is unknown").remedy("not \u{202e}this");
        let told = render("f", "\u{1b}[2J\u{202e}", &[problem]);
        assert!(told.contains("`\\u{1b}[2J` is unknown") && told.contains("not \\u{202e}this"), "{told}");
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(nearest("fecth", ["fetch", "alert"]), Some("fetch"));
        assert_eq!(nearest("Fetch", ["fetch"]), Some("fetch"));
        assert_eq!(nearest("zzz", ["fetch", "alert"]), None);
    }
}
