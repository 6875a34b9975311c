//! What an update would change, as a person reads it.

use std::time::Duration;

use similar::{Algorithm, TextDiff};

/// The longest that looking for a short difference may take; what is found by then is right, only longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The difference of two texts in unified form; empty where they are the same.
#[must_use]
pub fn unified(old: (&str, &str), new: (&str, &str)) -> String {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_lines(old.1, new.1);
    diff.unified_diff().context_radius(3).header(old.0, new.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_are_shown_with_what_is_around_them() {
        let old = "a\nb\nc\n";
        assert_eq!(unified(("1.0.0", old), ("1.1.0", old)), "");
        let new = unified(("1.0.0", old), ("1.1.0", "a\nB\nc\n"));
        assert_eq!(new, "--- 1.0.0\n+++ 1.1.0\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    }
}
