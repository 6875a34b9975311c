//! Words as search compares them: small letters without accents.

use std::collections::BTreeSet;

/// Longest word; what is longer is no word that somebody types.
const MAX_LETTERS: usize = 32;
/// Words of all READMEs of a template at most.
const MAX_GATHERED: usize = 400;

/// The words of a text.
pub(crate) fn of(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| !part.is_empty() && part.len() <= 4 * MAX_LETTERS).map(plain)
}

fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for letter in word.chars().take(MAX_LETTERS).flat_map(char::to_lowercase) {
        plain.push_str(match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'ç' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'œ' => "oe",
            'æ' => "ae",
            'ß' => "ss",
            other => {
                plain.push(other);
                continue;
            }
        });
    }
    plain
}

/// The words of some texts, each once; short ones, which say nothing, left out.
pub(crate) fn gathered<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let all: BTreeSet<String> = texts.into_iter().flat_map(of).filter(|word| word.chars().count() > 2).collect();
    let kept: Vec<String> = all.into_iter().take(MAX_GATHERED).collect();
    kept.join(" ")
}

/// Which letters a word has.
pub(crate) fn letters(word: &str) -> u64 {
    let bit = |letter: char| match letter {
        'a'..='z' => u32::from(letter) - u32::from('a'),
        '0'..='9' => 26 + u32::from(letter) - u32::from('0'),
        other => 36 + u32::from(other) % 28,
    };
    word.chars().fold(0, |all, letter| all | 1 << bit(letter))
}

/// How many typos are forgiven.
pub(crate) fn typos(word: &str) -> usize {
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// Whether a word, or its beginning, is what was typed, but for some typos.
pub(crate) fn is_near(typed: &str, word: &str, typos: usize) -> bool {
    let (length, full) = (typed.chars().count(), word.chars().count());
    if full + typos < length {
        return false;
    }
    let near = |word: &str| strsim::osa_distance(typed, word) <= typos;
    let beginning = |letters: usize| word.char_indices().nth(letters).map_or(word, |(at, _)| &word[..at]);
    (full <= length + typos && near(word)) || near(beginning(length)) || near(beginning(length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain() {
        let found: Vec<_> = of("Éditeur d'œuvres, PostgreSQL-18 (naïve)").collect();
        assert_eq!(found, ["editeur", "d", "oeuvres", "postgresql", "18", "naive"]);
        assert_eq!(gathered(["a big shop", "Une big boutique"]), "big boutique shop une");
    }

    #[test]
    fn typos_are_forgiven_in_long_words_only() {
        for (typed, word, near) in [
            ("wordpres", "wordpress", true),
            ("wrodpress", "wordpress", true),
            ("postgrse", "postgresql", true),
            ("promethues", "prometheus", true),
            ("reddis", "redis", true),
            ("gitlab", "gitea", false),
            ("elastik", "elasticsearch", true),
        ] {
            assert_eq!(is_near(typed, word, typos(typed)), near, "{typed} {word}");
        }
        assert_eq!(typos("git"), 0);
    }
}
