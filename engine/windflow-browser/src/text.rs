//! Offsets as JavaScript counts them.

/// From bytes of UTF-8 to units of UTF-16.
pub(crate) struct Utf16 {
    /// Where the two differ: a byte offset after a wider character, and by how much from there on.
    drift: Vec<(usize, usize)>,
}

impl Utf16 {
    pub(crate) fn new(text: &str) -> Self {
        let mut drift = Vec::new();
        if !text.is_ascii() {
            let mut by = 0;
            for (at, c) in text.char_indices().filter(|(_, c)| !c.is_ascii()) {
                by += c.len_utf8() - c.len_utf16();
                drift.push((at + c.len_utf8(), by));
            }
        }
        Self { drift }
    }

    /// The offset of a byte that begins a character.
    pub(crate) fn of(&self, byte: usize) -> usize {
        let passed = self.drift.partition_point(|(at, _)| *at <= byte);
        byte - passed.checked_sub(1).map_or(0, |last| self.drift[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_as_javascript_does() {
        let text = "aé😀b";
        let offsets = Utf16::new(text);
        let counted: Vec<usize> = text.char_indices().map(|(at, _)| offsets.of(at)).collect();
        assert_eq!(counted, [0, 1, 2, 4]);
        assert_eq!(offsets.of(text.len()), 5);
    }
}
