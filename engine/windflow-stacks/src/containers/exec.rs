//! A command in a container that runs already.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::words::{Words, check_environment};

/// What is run in which container of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The stack.
    pub stack: String,
    /// Its service.
    pub service: String,
    /// Which of its containers, from 1; where nothing is said the first that runs.
    #[serde(default)]
    pub number: Option<u32>,
    command: Words,
    /// Added to that of the container.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Where it is run.
    #[serde(default)]
    pub working_dir: Option<String>,
    /// Who runs it.
    #[serde(default)]
    pub user: Option<String>,
    /// How long it may take.
    #[serde(default)]
    pub seconds: Option<u32>,
}

impl Exec {
    /// The command, once all of it is judged.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn words(&self) -> Result<Vec<String>, String> {
        check_environment(&self.environment)?;
        let words = self.command.split("command")?;
        if words.is_empty() { Err("`command` is empty".to_owned()) } else { Ok(words) }
    }
}
