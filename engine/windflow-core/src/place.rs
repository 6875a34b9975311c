//! Where something stands in a document.

use std::fmt;
use std::ops::{Deref, Range};

use serde::Serialize;

/// A stretch of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line of its beginning, from 1.
    pub line: u32,
    /// Column of its beginning, from 1, in characters.
    pub column: u32,
    /// Its bytes.
    pub bytes: Range<usize>,
}

impl Place {
    /// The place of a part of this place's text. `text` is what stands here; `part` counts in its bytes.
    #[must_use]
    pub fn within(&self, text: &str, part: Range<usize>) -> Self {
        let start = floor(text, part.start);
        let end = floor(text, part.end).max(start);
        let before = &text[..start];
        let (line, column) = match before.rfind('\n') {
            Some(newline) => {
                (self.line + count(before.matches('\n').count()), 1 + count(before[newline + 1..].chars().count()))
            }
            None => (self.line, self.column + count(before.chars().count())),
        };
        Self { line, column, bytes: self.bytes.start + start..self.bytes.start + end }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_text_have_places_of_their_own() {
        let place = Place { line: 3, column: 5, bytes: 20..40 };
        assert_eq!(place.within("añb", 3..4), Place { line: 3, column: 7, bytes: 23..24 });
        assert_eq!(place.within("a\nbc", 3..4), Place { line: 4, column: 2, bytes: 23..24 });
        assert_eq!(place.within("a", 7..9), Place { line: 3, column: 6, bytes: 21..21 });
    }
}
