//! Targets.

use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;

use super::{Book, BookError, Page, Result};
use crate::target::{Credentials, New, Target};

fn key(name: &str) -> String {
    format!("targets/{name}")
}

impl Book {
    /// Keeps a new target.
    ///
    /// # Errors
    /// Where it is not valid, or there is one of this name.
    pub fn add_target(&self, new: &New, credentials: &Credentials, by: &str, now: Timestamp) -> Result<Target> {
        new.check().map_err(BookError::Invalid)?;
        let target = self.target_of(new, credentials, by, now, now)?;
        let put = self.put(key(&new.name), Expected::Absent, &target)?;
        match self.write(vec![put]) {
            Err(BookError::Conflict) => Err(BookError::Exists(format!("target {}", new.name))),
            other => other.map(|()| target),
        }
    }

    /// Changes a target. Each of its credentials that is not given stays; an empty text takes one away.
    ///
    /// # Errors
    /// Where it is not valid, or there is none of this name.
    pub fn change_target(
        &self,
        new: &New,
        credentials: Option<&Credentials>,
        by: &str,
        now: Timestamp,
    ) -> Result<Target> {
        new.check().map_err(BookError::Invalid)?;
        let (old, version) = self.target_version(&new.name)?;
        let kept = self.credentials(&old)?;
        let credentials = credentials.cloned().map_or_else(|| kept.clone(), |given| given.over(&kept));
        let target = self.target_of(new, &credentials, by, old.created_at, now)?;
        self.write(vec![self.put(key(&new.name), Expected::Version(version), &target)?])?;
        Ok(target)
    }

    fn target_of(
        &self,
        new: &New,
        credentials: &Credentials,
        by: &str,
        created_at: Timestamp,
        now: Timestamp,
    ) -> Result<Target> {
        let place = self.place(&key(&new.name));
        let credentials = &credentials.clone().over(&Credentials::default());
        let has_any = *credentials != Credentials::default();
        Ok(Target {
            name: new.name.clone(),
            address: new.address.clone(),
            environment: new.environment,
            groups: new.groups.clone(),
            tags: new.tags.clone(),
            description: new.description.clone(),
            sealed: has_any.then(|| self.vault.seal(&place, credentials)).transpose()?,
            created_at,
            updated_at: now,
            updated_by: by.to_owned(),
        })
    }

    fn target_version(&self, name: &str) -> Result<(Target, u64)> {
        self.read(&key(name))?.ok_or_else(|| BookError::NotFound(format!("target {name}")))
    }

    /// A target.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn target(&self, name: &str) -> Result<Target> {
        self.target_version(name).map(|(target, _)| target)
    }

    /// How a target is reached.
    ///
    /// # Errors
    /// Where its secrets do not open.
    pub fn credentials(&self, target: &Target) -> Result<Credentials> {
        match &target.sealed {
            Some(sealed) => Ok(self.vault.open(&self.place(&key(&target.name)), sealed)?),
            None => Ok(Credentials::default()),
        }
    }

    /// Targets by name, after one.
    ///
    /// # Errors
    /// As the store's.
    pub fn targets(&self, after: Option<&str>, limit: usize) -> Result<Page<Target>> {
        let (items, next) = self.scan("targets/", after.map(key).as_deref(), limit)?;
        Ok((items, next.and_then(|key| key.strip_prefix("targets/").map(str::to_owned))))
    }

    /// Forgets a target on which nothing is deployed.
    ///
    /// # Errors
    /// Where there is none of this name, or something is deployed to it.
    pub fn remove_target(&self, name: &str) -> Result<()> {
        let (_, version) = self.target_version(name)?;
        if let Some((stack, _)) = self.on_target(name)?.first() {
            return Err(BookError::InUse(format!("the stack {stack} is deployed to {name}; remove it there first")));
        }
        self.write(vec![Change::delete(&self.organisation, key(name), Expected::Version(version))])
    }
}
