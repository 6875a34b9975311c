//! What can be read from a Dockerfile without building it.

/// Whether a Dockerfile lets the builder fetch an address. What a variable stands for is not known here: it counts as one.
pub(super) fn fetches(text: &str) -> bool {
    // Which of the two a line goes on after is said by a directive. Either reading counts.
    ['\\', '`'].into_iter().any(|escape| instructions(text, escape).iter().any(|line| is_fetching(line)))
}

/// The instructions, each on one line.
fn instructions(text: &str, escape: char) -> Vec<String> {
    let (mut all, mut one) = (Vec::new(), String::new());
    // Comments and empty lines do not end what goes on; spaces at the beginning of a line count.
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
    for line in lines {
        if let Some(begun) = line.strip_suffix(escape) {
            one.push_str(begun);
        } else {
            one.push_str(line);
            all.push(std::mem::take(&mut one));
        }
    }
    all.push(one);
    all
}

fn is_fetching(instruction: &str) -> bool {
    let mut words = instruction.split_whitespace().skip_while(|word| word.eq_ignore_ascii_case("onbuild"));
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("add"))
        && words.any(|word| word.contains("://") || word.contains('$') || word.contains("git@"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_builder_would_fetch_is_seen() {
        for text in [
            "FROM a\nADD http://127.0.0.1/x /x",
            "FROM a\n  add --chown=1 https://h/x /",
            "FROM a\nADD \\\n http://h/x /x",
            "FROM a\nADD\\\n http://h/x /x",
            "FROM a\nAD\\\nD http://h/x /x",
            "FROM a\nADD `\r\n http://h/x /x",
            "ARG U=http://h\nFROM a\nARG U\nADD $U /x",
            "FROM a\nONBUILD ADD http://h/x /x",
            "FROM a\nADD [\"http://h/x\", \"/x\"]",
            "FROM a\nADD git@h:r.git /x",
            "FROM a\nADD \\ \n# between\n\n http://h/x /x",
            "# escape=`\nFROM a\nRUN dir c:\\\nADD http://h/x /x",
        ] {
            assert!(fetches(text), "{text}");
        }
        assert!(!fetches("FROM a\nADD x /x\n# ADD http://h/x\nRUN wget http://h/x\nCOPY $A /"));
    }
}
