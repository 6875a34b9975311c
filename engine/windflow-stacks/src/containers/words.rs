//! Command lines and environments, bounded.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compose::units;

/// Bytes of a command or an environment at most.
const MAX_BYTES: usize = 128 << 10;

/// A command: its words, or one line that is taken apart by the shell's quoting. No shell runs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    /// Word by word.
    List(Vec<String>),
    /// One line.
    Line(String),
}

impl Words {
    /// The words.
    ///
    /// # Errors
    /// Where a quote does not end, or it is too much.
    pub(super) fn split(&self, field: &str) -> Result<Vec<String>, String> {
        let words = match self {
            Self::List(words) => words.clone(),
            Self::Line(line) => units::words(line).ok_or(format!("a quote in `{field}` does not end: {line:?}"))?,
        };
        if words.iter().map(String::len).sum::<usize>() > MAX_BYTES || words.len() > 1000 {
            return Err(format!("`{field}` has 1000 words and {MAX_BYTES} bytes at most"));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(format!("`{field}` holds a zero byte"));
        }
        Ok(words)
    }
}

/// Whether an environment can be.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_environment(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let bytes: usize = environment.iter().map(|(name, value)| name.len() + value.len()).sum();
    if environment.len() > 500 || bytes > MAX_BYTES {
        return Err(format!("`environment` has 500 variables and {MAX_BYTES} bytes at most"));
    }
    match environment.iter().find(|(name, value)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0'))
    {
        Some((name, _)) => {
            Err(format!("`environment` holds {name:?}, which is no name of a variable or holds a zero byte"))
        }
        None => Ok(()),
    }
}
