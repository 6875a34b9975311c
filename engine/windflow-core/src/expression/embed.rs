//! Finding `${{ }}` in texts.

use super::template::{Kind, Part};
use super::{Expression, lexer};
use crate::place::Place;
use crate::problem::Problem;

/// What begins an expression.
pub(super) const OPEN: &str = "${{";

/// Takes a text apart. `source` is the text as the document has it, quotes and escapes included; places are found in it.
pub(super) fn parse(text: &str, source: &str, place: &Place) -> Result<Option<Kind>, Vec<Problem>> {
    if !text.contains(OPEN) {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let mut parts = Vec::new();
    let mut at = 0;
    // Expressions are found in `source` in the same order, whatever became of the text between them. Places are counted
    // from the one before: from the beginning each time, a long text would take its length squared.
    let mut source_at = 0;
    let mut from = place.clone();
    while let Some(found) = text[at..].find(OPEN) {
        let start = at + found + OPEN.len();
        let source_start = source[source_at..].find(OPEN).map(|found| source_at + found);
        let open = source_start.map_or_else(
            || place.clone(),
            |start| from.within(&source[source_at..], start - source_at..start - source_at + OPEN.len()),
        );
        let end = match lexer::find_close(text, start) {
            Ok(end) => end,
            Err(error) => {
                let mut problem = Problem::error("invalid_expression", &open, error.message);
                problem.remedy = error.remedy;
                problems.push(problem);
                return Err(problems);
            }
        };
        let inner = &text[start..end];
        let lead = inner.len() - inner.trim_start().len();
        let trimmed = inner.trim();
        // Where the document has the expression letter by letter, its parts have places of their own.
        let exact = source_start
            .map(|at| at + OPEN.len() + lead)
            .filter(|at| source.get(*at..).is_some_and(|rest| rest.starts_with(trimmed)));
        let compiled = match exact {
            Some(at) => {
                let start = source_start.unwrap_or_default();
                Expression::compile(trimmed, &open.within(&source[start..], at - start..at - start + trimmed.len()))
            }
            None => Expression::compile(trimmed, &open).map_err(|problem| Problem { place: open.clone(), ..problem }),
        };
        if at < start - OPEN.len() {
            parts.push(Part::Text(text[at..start - OPEN.len()].to_owned()));
        }
        match compiled {
            Ok(expression) => parts.push(Part::Expression(expression)),
            Err(problem) => problems.push(problem),
        }
        at = end + 2;
        let next =
            exact.map_or_else(|| source_start.map_or(source.len(), |at| at + OPEN.len()), |at| at + trimmed.len());
        from = from.within(&source[source_at..], next - source_at..next - source_at);
        source_at = next;
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if at < text.len() {
        parts.push(Part::Text(text[at..].to_owned()));
    }
    Ok(Some(match (parts.len(), parts.pop()) {
        (1, Some(Part::Expression(expression))) => Kind::Expression(expression),
        (_, last) => {
            parts.extend(last);
            Kind::Text(parts)
        }
    }))
}
