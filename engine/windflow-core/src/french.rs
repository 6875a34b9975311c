//! What the texts that the engine writes in French are held against.

/// What French writes otherwise, each with what stands around it: a narrow space that does not break (U+202F) before `;`, `!` and `?`, one of full width
/// (U+00A0) before `:` and `»` and after `«`, and a curved apostrophe. What stands in backticks is code, and so is a sign with no space behind it, as in an address.
pub(crate) fn mistakes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for prose in text.split('`').step_by(2) {
        let signs: Vec<char> = prose.chars().collect();
        for (at, sign) in signs.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| signs.get(at)).copied();
            let after = signs.get(at + 1).copied();
            let ends = after.is_none_or(|after| after.is_whitespace() || ".,)»".contains(after));
            let wrong = match sign {
                ';' | '!' | '?' => ends && before.is_some_and(|before| before != '\u{202f}'),
                ':' => ends && before.is_some_and(|before| before != '\u{a0}'),
                '»' => before.is_some_and(|before| before != '\u{a0}'),
                '«' => after != Some('\u{a0}'),
                // Before code it stands at the end.
                '\'' => before.is_some_and(char::is_alphanumeric) && after.is_none_or(char::is_alphanumeric),
                _ => false,
            };
            if wrong {
                found.push(
                    signs.get(at.saturating_sub(8)..(at + 8).min(signs.len())).unwrap_or_default().iter().collect(),
                );
            }
        }
    }
    found
}

#[test]
fn what_french_writes_otherwise_is_found() {
    for wrong in
        ["Oui ; non", "Vraiment ?", "Vraiment\u{a0}?", "Bien !", "Oui : non", "« Oui »", "l'un", "l'`un`", "Non; oui"]
    {
        assert_ne!(mistakes(wrong), [""; 0], "{wrong}");
    }
    for right in [
        "Oui\u{202f}; non",
        "Oui\u{a0}: non",
        "«\u{a0}Oui\u{a0}»",
        "l’un",
        "`l'un : a`",
        "par https://a.example.org:587",
        "a:b",
    ] {
        assert_eq!(mistakes(right), [""; 0], "{right}");
    }
}
