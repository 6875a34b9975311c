//! What a command writes: told line by line while it comes, and its end kept, both bounded.

use std::collections::VecDeque;

use serde::Serialize;

/// Bytes of the output that are kept: its end.
const KEPT: usize = 256 << 10;
/// Lines that are told at most, and bytes of one.
const TOLD: (usize, usize) = (500, 1 << 10);

/// What a command wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The end of all that it wrote, as it came.
    pub output: String,
    /// The end of what it wrote to stdout alone.
    pub stdout: String,
    /// Whether something before that was cut off.
    pub cut: bool,
}

/// Takes up what a command writes.
#[derive(Default)]
pub struct Written {
    all: Tail,
    stdout: Tail,
    line: Vec<u8>,
    told: usize,
}

impl Written {
    /// A piece of it, in any size. Lines that are complete with it are told.
    pub fn take(&mut self, bytes: &[u8], stderr: bool, tell: &dyn Fn(&str)) {
        self.all.push(bytes);
        if !stderr {
            self.stdout.push(bytes);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = TOLD.1.saturating_sub(self.line.len());
            self.line.extend(piece.iter().take(room));
            if piece.ends_with(b"\n") {
                self.tell_line(tell);
            }
        }
    }

    fn tell_line(&mut self, tell: &dyn Fn(&str)) {
        let line = std::mem::take(&mut self.line);
        if self.told < TOLD.0 {
            tell(String::from_utf8_lossy(&line).trim_end());
        } else if self.told == TOLD.0 {
            tell("… further lines are not told; the last ones are in the output");
        }
        self.told += 1;
    }

    /// There is no more.
    #[must_use]
    pub fn end(mut self, tell: &dyn Fn(&str)) -> Said {
        if !self.line.is_empty() {
            self.tell_line(tell);
        }
        let cut = self.all.cut || self.stdout.cut;
        Said { output: self.all.into_text(), stdout: self.stdout.into_text(), cut }
    }
}

/// The last bytes of what is pushed.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let bytes = if bytes.len() > KEPT { &bytes[bytes.len() - KEPT..] } else { bytes };
        let over = (self.bytes.len() + bytes.len()).saturating_sub(KEPT);
        self.cut |= over > 0;
        self.bytes.drain(..over.min(self.bytes.len()));
        self.bytes.extend(bytes);
    }

    /// Where it was cut within a character, that one is left out.
    fn into_text(self) -> String {
        let bytes: Vec<u8> = self.bytes.into();
        let begin = if self.cut { bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count() } else { 0 };
        String::from_utf8_lossy(&bytes[begin..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_end_is_kept_and_lines_are_told_in_pieces_of_any_size() {
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let mut written = Written::default();
        for (piece, stderr) in [("on", false), ("e\ntw", false), ("oops\n", true), ("o", false)] {
            written.take(piece.as_bytes(), stderr, &tell);
        }
        let said = written.end(&tell);
        assert_eq!((said.output.as_str(), said.stdout.as_str(), said.cut), ("one\ntwoops\no", "one\ntwo", false));
        assert_eq!(*told.borrow(), ["one", "twoops", "o"]);
    }

    #[test]
    fn a_flood_is_bounded() {
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let mut written = Written::default();
        for number in 0..200_000 {
            written.take(format!("{number} é\n").as_bytes(), false, &tell);
        }
        written.take("é".repeat(KEPT).as_bytes(), false, &tell);
        let said = written.end(&tell);
        assert!(
            said.cut && said.output.len() <= KEPT && said.output.chars().all(|c| c == 'é'),
            "{}",
            said.output.len()
        );
        assert_eq!(told.borrow().len(), TOLD.0 + 1);
        assert!(told.borrow().iter().all(|line| line.len() <= TOLD.1));
    }
}
