//! `.dockerignore`: what of a folder an image is not built from. Patterns mean what they mean to Docker's own tools, which translate
//! them in the same way: `*` and `?` stay within a name, `**` goes across folders, `!` takes back, the last one that fits counts.

use regex::{Regex, RegexSet, RegexSetBuilder};

/// Longest file, in bytes.
pub(super) const MAX_BYTES: usize = 64 << 10;
/// Most patterns.
const MAX_PATTERNS: usize = 1000;
/// What all patterns together may take, compiled.
const COMPILED_BYTES: usize = 10 << 20;

/// The patterns of a folder.
#[derive(Debug)]
pub(super) struct Ignore {
    patterns: RegexSet,
    /// Which of them take back.
    exceptions: Vec<bool>,
}

/// Whether a `.dockerignore` leaves a file out.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn ignored(text: &str, path: &str) -> Result<bool, String> {
    Ok(Ignore::read(text, ".dockerignore")?.leaves_out(path))
}

impl Ignore {
    /// Reads the text of a `.dockerignore`, or of whatever file stands in for it.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub(super) fn read(text: &str, file: &str) -> Result<Self, String> {
        let (mut patterns, mut exceptions) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = if line.starts_with('#') { "" } else { line.trim() };
            let (pattern, exception) = match line.strip_prefix('!') {
                Some("") => return Err(format!("{file}, line {number}: `!` is followed by no pattern")),
                Some(pattern) => (pattern.trim(), true),
                None => (line, false),
            };
            let pattern = cleaned(pattern);
            if pattern.is_empty() {
                continue;
            }
            let pattern = translated(&pattern);
            if let Err(error) = Regex::new(&pattern) {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let shown: String = line.chars().take(100).collect();
                return Err(format!("{file}, line {number}: {shown:?} is no pattern: {why}"));
            }
            patterns.push(pattern);
            exceptions.push(exception);
        }
        if patterns.len() > MAX_PATTERNS {
            return Err(format!("{file} has more than {MAX_PATTERNS} patterns"));
        }
        let patterns = RegexSetBuilder::new(patterns).size_limit(COMPILED_BYTES).build();
        let patterns = patterns.map_err(|_| format!("{file} has patterns that are too large together"))?;
        Ok(Self { patterns, exceptions })
    }

    /// Whether a file is left out: by its own name, or since a folder that it is in is.
    pub(super) fn leaves_out(&self, path: &str) -> bool {
        let mut fits = vec![false; self.exceptions.len()];
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        for part in folders.chain([path]) {
            self.patterns.matches(part).into_iter().for_each(|number| fits[number] = true);
        }
        let last = fits.iter().rposition(|fits| *fits);
        last.is_some_and(|number| !self.exceptions[number])
    }
}

/// Without what means nothing: `./`, doubled strokes, the one at an end, and `..` as far as it can be followed.
fn cleaned(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn translated(pattern: &str) -> String {
    let mut regex = String::from("^");
    let (mut rest, mut in_class) = (pattern.chars().peekable(), false);
    while let Some(one) = rest.next() {
        match one {
            // Like the end of a class, `]` needs its beginning; in a class `[` is itself.
            '[' if !in_class => {
                in_class = true;
                regex.push('[');
            }
            ']' if in_class => {
                in_class = false;
                regex.push(']');
            }
            '\\' => {
                // Escaped at the end it is itself.
                escape(rest.next().unwrap_or('\\'), &mut regex);
            }
            '-' | '^' if in_class => regex.push(one),
            _ if in_class => escape(one, &mut regex),
            '*' if rest.next_if_eq(&'*').is_some() => {
                let _ = rest.next_if_eq(&'/');
                regex.push_str(if rest.peek().is_some() { "(?:.*/)?" } else { ".*" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            one => escape(one, &mut regex),
        }
    }
    regex.push('$');
    regex
}

fn escape(one: char, regex: &mut String) {
    regex.push_str(&regex::escape(one.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &str, left_out: &[&str], kept: &[&str]) {
        let ignore = Ignore::read(patterns, ".dockerignore").unwrap();
        for path in left_out {
            assert!(ignore.leaves_out(path), "{patterns:?} keeps {path}");
        }
        for path in kept {
            assert!(!ignore.leaves_out(path), "{patterns:?} leaves out {path}");
        }
    }

    /// The examples of Docker's documentation, and those of its own tests.
    #[test]
    fn patterns_mean_what_they_mean_to_docker() {
        check("", &[], &["a", ".git/config"]);
        check("# comment\n*/temp*", &["somedir/temporary.txt", "somedir/temp", "a/temp/b"], &["temp", "a/b/temp"]);
        check("*/*/temp*", &["somedir/subdir/temporary.txt"], &["somedir/temp"]);
        check("temp?", &["tempa", "tempb", "tempa/x"], &["temp", "tempab", "a/tempa"]);
        check("*.md\n!README.md", &["CHANGES.md"], &["README.md", "a/x.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md"], &["README-x.md"]);
        check("*.md\nREADME-secret.md\n!README*.md", &["x.md"], &["README-secret.md"]);
        check("**/*.go", &["a.go", "a/b/c.go"], &["a.goo"]);
        check("**", &["a", "a/b"], &[]);
        check("*\n!src\n!Dockerfile", &["a", "deep/a"], &["src/a/b", "Dockerfile"]);
        check("a/**", &["a/b", "a/b/c"], &["a", "ab"]);
        check("a/**/b", &["a/b", "a/x/y/b", "a/b/c"], &["ab", "a/bc"]);
        check("**/node_modules", &["node_modules/x", "a/b/node_modules/c/d"], &["node_modules2/x"]);
        check("/a\n./b/\n//c//d\ne/../f", &["a", "a/x", "b/x", "c/d", "f"], &["x/a", "e", "c"]);
        check("../a", &[], &["a"]);
        check(".", &[], &["a", "."]);
        check("\u{feff}a  \n  b", &["a", "b"], &["c"]);
        check("dir\n!dir/keep", &["dir/a"], &["dir/keep"]);
        check("[a-c]x\n[^0-9]y", &["ax", "cx", "zy"], &["dx", "1y"]);
        check("a\\*b", &["a*b"], &["axb"]);
        check("a.b+c(d)^$|{e}", &["a.b+c(d)^$|{e}"], &["aXb+c(d)^$|{e}"]);
        check(" #a", &["#a"], &[]);
        check("Größe*", &["Größe.txt"], &["Grosse.txt"]);
        check("<a>", &["<a>"], &["a"]);
        check("a#b\nc&&d\n[a&&b]z", &["a#b", "c&&d", "az", "&z"], &["a", "cz"]);
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_line() {
        for (text, said) in [("ok\n[a", "line 2"), ("!", "line 1"), ("\n\n[z-a]", "line 3")] {
            let error = Ignore::read(text, ".dockerignore").unwrap_err();
            assert!(error.contains(said) && error.contains(".dockerignore"), "{error}");
        }
        assert!(Ignore::read(&"a\n".repeat(MAX_PATTERNS + 1), ".dockerignore").unwrap_err().contains("1000"));
    }
}
