//! Several changes, one after the other, told as changes of the text before the first.

use std::ops::Range;

use super::Change;

/// A text made of pieces of the original and of what was put in between.
pub(super) struct Pieces {
    original: String,
    pieces: Vec<Piece>,
    text: String,
}

enum Piece {
    Kept(Range<usize>),
    New(String),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Kept(range) => range.len(),
            Self::New(text) => text.len(),
        }
    }

    fn split(self, at: usize) -> (Self, Self) {
        match self {
            Self::Kept(range) => (Self::Kept(range.start..range.start + at), Self::Kept(range.start + at..range.end)),
            Self::New(mut text) => {
                let rest = text.split_off(at);
                (Self::New(text), Self::New(rest))
            }
        }
    }
}

impl Pieces {
    pub(super) fn new(text: &str) -> Self {
        Self { original: text.to_owned(), pieces: vec![Piece::Kept(0..text.len())], text: text.to_owned() }
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Applies changes of the text as it is now. They do not overlap; at the same place they keep their order.
    pub(super) fn apply(&mut self, mut changes: Vec<Change>) {
        changes.sort_by_key(|change| (change.from, change.to));
        let mut text = String::with_capacity(self.text.len());
        let mut pieces = Vec::with_capacity(self.pieces.len() + changes.len() * 2);
        let mut rest = std::mem::take(&mut self.pieces).into_iter();
        let (mut at, mut current) = (0, rest.next());
        // Moves pieces up to a place of the present text, or drops them.
        let mut advance = |to: usize, pieces: &mut Vec<Piece>, keep: bool| {
            while at < to {
                let Some(piece) = current.take() else { break };
                let take = piece.len().min(to - at);
                let (head, tail) = piece.split(take);
                at += take;
                if keep {
                    pieces.push(head);
                }
                current = if tail.len() > 0 { Some(tail) } else { rest.next() };
            }
        };
        let mut copied = 0;
        for change in changes {
            advance(change.from, &mut pieces, true);
            advance(change.to, &mut pieces, false);
            text.push_str(&self.text[copied..change.from]);
            text.push_str(&change.insert);
            copied = change.to;
            if !change.insert.is_empty() {
                pieces.push(Piece::New(change.insert));
            }
        }
        advance(usize::MAX, &mut pieces, true);
        text.push_str(&self.text[copied..]);
        self.text = text;
        self.pieces = pieces;
    }

    /// The text, and how it came out of the original.
    pub(super) fn finish(self) -> (String, Vec<Change>) {
        let mut changes: Vec<Change> = Vec::new();
        let (mut at, mut insert) = (0, String::new());
        for piece in &self.pieces {
            match piece {
                Piece::New(text) => insert.push_str(text),
                Piece::Kept(range) => {
                    self.note(&mut changes, at..range.start, &std::mem::take(&mut insert));
                    at = range.end;
                }
            }
        }
        self.note(&mut changes, at..self.original.len(), &insert);
        (self.text, changes)
    }

    /// Notes a change without what is the same on both sides of it.
    fn note(&self, changes: &mut Vec<Change>, range: Range<usize>, insert: &str) {
        let old = &self.original[range.clone()];
        let same = |(a, b): &(char, char)| a == b;
        let head: usize = old.chars().zip(insert.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let tail: usize = old[head..]
            .chars()
            .rev()
            .zip(insert[head..].chars().rev())
            .take_while(same)
            .map(|(c, _)| c.len_utf8())
            .sum();
        let insert = insert[head..insert.len() - tail].to_owned();
        let (from, to) = (range.start + head, range.end - tail);
        if from < to || !insert.is_empty() {
            changes.push(Change { from, to, insert });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: usize, to: usize, insert: &str) -> Change {
        Change { from, to, insert: insert.to_owned() }
    }

    #[test]
    fn changes_of_changes_are_changes_of_the_original() {
        let mut pieces = Pieces::new("one two three");
        pieces.apply(vec![change(8, 13, "3"), change(0, 3, "1")]);
        assert_eq!(pieces.text(), "1 two 3");
        pieces.apply(vec![change(2, 5, "2"), change(7, 7, "!")]);
        assert_eq!(pieces.text(), "1 2 3!");
        let (text, changes) = pieces.finish();
        assert_eq!(text, "1 2 3!");
        assert_eq!(changes, [change(0, 3, "1"), change(4, 7, "2"), change(8, 13, "3!")]);
    }

    #[test]
    fn what_stays_the_same_is_not_told() {
        let mut pieces = Pieces::new("añb");
        pieces.apply(vec![change(0, 4, "añc")]);
        assert_eq!(pieces.finish().1, [change(3, 4, "c")]);
        let mut pieces = Pieces::new("ab");
        pieces.apply(vec![change(0, 1, "x")]);
        pieces.apply(vec![change(0, 1, "a")]);
        assert_eq!(pieces.finish().1, []);
    }
}
