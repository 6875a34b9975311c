//! Stacks and their versions.

use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;

use super::{Book, BookError, Page, Result};
use crate::compose;
use crate::deployment::{Stack, StackVersion};

fn key(name: &str) -> String {
    format!("stacks/{name}")
}

fn version_key(name: &str, version: u32) -> String {
    format!("stack-versions/{name}/{version:010}")
}

impl Book {
    /// Keeps a text as the latest version of a stack; the same text as before makes no new one.
    ///
    /// # Errors
    /// Where the name is none, or somebody else does the same at this moment.
    pub fn keep_stack(&self, name: &str, description: &str, text: &str, by: &str, now: Timestamp) -> Result<Stack> {
        if !compose::is_project_name(name) {
            return Err(BookError::Invalid(format!("{name:?} is no name of a stack")));
        }
        let old: Option<(Stack, u64)> = self.read(&key(name))?;
        if let Some((stack, _)) = &old
            && stack.description == description
            && self.stack_version(name, stack.version)?.text == text
        {
            return Ok(stack.clone());
        }
        // Versions of a stack that was forgotten stay; a new one of the same name goes on counting.
        let last = self.last_version(name)?;
        let (created_at, expected) = match &old {
            Some((stack, version)) => (stack.created_at, Expected::Version(*version)),
            None => (now, Expected::Absent),
        };
        let stack = Stack {
            name: name.to_owned(),
            description: description.to_owned(),
            version: last + 1,
            created_at,
            updated_at: now,
            updated_by: by.to_owned(),
        };
        let version = StackVersion { version: last + 1, text: text.to_owned(), at: now, by: by.to_owned() };
        self.write(vec![
            self.put(key(name), expected, &stack)?,
            self.put(version_key(name, version.version), Expected::Absent, &version)?,
        ])?;
        Ok(stack)
    }

    fn last_version(&self, name: &str) -> Result<u32> {
        let (mut last, mut after) = (0, None);
        loop {
            let (versions, next) = self.stack_versions(name, after, 1000)?;
            last = versions.last().map_or(last, |version| version.version);
            after = next;
            if after.is_none() {
                return Ok(last);
            }
        }
    }

    /// A stack.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn stack(&self, name: &str) -> Result<Stack> {
        let found = self.read(&key(name))?.map(|(stack, _)| stack);
        found.ok_or_else(|| BookError::NotFound(format!("stack {name}")))
    }

    /// Stacks by name, after one.
    ///
    /// # Errors
    /// As the store's.
    pub fn stacks(&self, after: Option<&str>, limit: usize) -> Result<Page<Stack>> {
        let (items, next) = self.scan("stacks/", after.map(key).as_deref(), limit)?;
        Ok((items, next.and_then(|key| key.strip_prefix("stacks/").map(str::to_owned))))
    }

    /// A version of a stack.
    ///
    /// # Errors
    /// Where there is none of this number.
    pub fn stack_version(&self, name: &str, version: u32) -> Result<StackVersion> {
        let found = self.read(&version_key(name, version))?.map(|(version, _)| version);
        found.ok_or_else(|| BookError::NotFound(format!("version {version} of stack {name}")))
    }

    /// Versions of a stack, the first one first, after one.
    ///
    /// # Errors
    /// As the store's.
    pub fn stack_versions(
        &self,
        name: &str,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(Vec<StackVersion>, Option<u32>)> {
        let prefix = format!("stack-versions/{name}/");
        let after = after.map(|version| version_key(name, version));
        let (items, next) = self.scan(&prefix, after.as_deref(), limit)?;
        Ok((items, next.and_then(|key| key.strip_prefix(&prefix)?.parse().ok())))
    }

    /// Takes a stack away that was only just kept, as if it had never been.
    ///
    /// # Errors
    /// As the store's.
    pub fn undo_stack(&self, name: &str, version: u32) -> Result<()> {
        self.write(vec![
            Change::delete(&self.organisation, key(name), Expected::Any),
            Change::delete(&self.organisation, version_key(name, version), Expected::Any),
        ])
    }

    /// Has a stack again that was forgotten, as of one of its versions, which is the latest one.
    ///
    /// # Errors
    /// Where there is one of this name, or no such version.
    pub fn bring_back_stack(
        &self,
        name: &str,
        description: &str,
        version: u32,
        by: &str,
        now: Timestamp,
    ) -> Result<Stack> {
        let kept = self.stack_version(name, version)?;
        let stack = Stack {
            name: name.to_owned(),
            description: description.to_owned(),
            version,
            created_at: kept.at,
            updated_at: now,
            updated_by: by.to_owned(),
        };
        self.write(vec![self.put(key(name), Expected::Absent, &stack)?])?;
        Ok(stack)
    }

    /// Forgets a stack. Its versions stay, and what is deployed, too.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn remove_stack(&self, name: &str) -> Result<()> {
        self.stack(name)?;
        self.write(vec![Change::delete(&self.organisation, key(name), Expected::Any)])
    }
}
