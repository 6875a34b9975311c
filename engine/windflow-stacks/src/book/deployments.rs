//! Deployments, and what is on which target.

use std::collections::BTreeMap;

use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;

use super::{Book, BookError, Page, Result, carry_over};
use crate::deployment::{Content, Current, Deployment, Status};
use crate::driver::{DriverError, Outcome};
use crate::variables::{Kind, Variable};

fn key(id: &str) -> String {
    format!("deployments/{id}")
}

fn current_key(target: &str, stack: &str) -> String {
    format!("deployed/{}/{stack}", target.replace('/', "%2f"))
}

/// A deployment that is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id; of two the later one has to be the greater.
    pub id: String,
    /// Number of the stack's version, where it was kept.
    pub version: Option<u32>,
    /// The target's name.
    pub target: String,
    /// What is wanted.
    pub content: Content,
    /// The deployment that this one rolls back to.
    pub rollback_to: Option<String>,
    /// Who asks.
    pub by: String,
    /// Whether one that is under way is known to be cut off, and gives way.
    pub take_over: bool,
}

impl Book {
    /// Begins a deployment: it is kept before anything is done, and it alone may change the stack on the target. The same id
    /// again is the same deployment.
    ///
    /// # Errors
    /// [`BookError::UnderWay`] where another one is.
    pub fn begin(&self, request: &Request, now: Timestamp) -> Result<Deployment> {
        if let Some((known, version)) = self.read::<Deployment>(&key(&request.id))? {
            return self.again(known, version);
        }
        let stack = request.content.project.name.clone();
        let place = current_key(&request.target, &stack);
        let found: Option<(Current, u64)> = self.read(&place)?;
        let expected = found.as_ref().map_or(Expected::Absent, |(_, version)| Expected::Version(*version));
        let mut current = found.map(|(current, _)| current).unwrap_or_default();
        let mut changes = Vec::new();
        if let Some(other) = current.under_way.replace(request.id.clone()) {
            if !request.take_over {
                return Err(BookError::UnderWay(other));
            }
            if let Some((mut other, version)) = self.read::<Deployment>(&key(&other))? {
                (other.status, other.ended_at) = (Status::Abandoned, Some(now));
                changes.push(self.put(key(&other.id), Expected::Version(version), &other)?);
            }
        }
        let deployment = Deployment {
            id: request.id.clone(),
            stack,
            version: request.version,
            target: request.target.clone(),
            status: Status::Running,
            previous: current.good.clone(),
            rollback_to: request.rollback_to.clone(),
            digest: request.content.project.digest(),
            sealed: self.vault.seal(&self.place(&key(&request.id)), &request.content)?,
            by: request.by.clone(),
            started_at: now,
            ended_at: None,
            outcome: None,
            error: None,
        };
        changes.push(self.put(key(&request.id), Expected::Absent, &deployment)?);
        changes.push(self.put(place, expected, &current)?);
        self.write(changes)?;
        Ok(deployment)
    }

    /// A deployment to go on with: as it is, or under way again where its target was not reached.
    ///
    /// # Errors
    /// Where there is none of this id, or another one is under way.
    pub fn resume(&self, id: &str) -> Result<Deployment> {
        let (known, version) = self.read(&key(id))?.ok_or_else(|| BookError::NotFound(format!("deployment {id}")))?;
        self.again(known, version)
    }

    /// A deployment that was asked for before. Where its target was not reached it goes on.
    fn again(&self, mut known: Deployment, version: u64) -> Result<Deployment> {
        let was_cut_off = known.status == Status::Failed && known.error.as_ref().is_some_and(|error| error.may_help);
        if !was_cut_off {
            return Ok(known);
        }
        let place = current_key(&known.target, &known.stack);
        let found: Option<(Current, u64)> = self.read(&place)?;
        let expected = found.as_ref().map_or(Expected::Absent, |(_, version)| Expected::Version(*version));
        let mut current = found.map(|(current, _)| current).unwrap_or_default();
        if let Some(other) = current.under_way.replace(known.id.clone()) {
            return Err(BookError::UnderWay(other));
        }
        (known.status, known.ended_at, known.error) = (Status::Running, None, None);
        let changes =
            [self.put(key(&known.id), Expected::Version(version), &known)?, self.put(place, expected, &current)?];
        self.write(changes.into())?;
        Ok(known)
    }

    /// Ends a deployment.
    ///
    /// # Errors
    /// As the store's.
    pub fn end(
        &self,
        deployment: &Deployment,
        ended: std::result::Result<Outcome, DriverError>,
        now: Timestamp,
    ) -> Result<Deployment> {
        let mut deployment = deployment.clone();
        deployment.ended_at = Some(now);
        match ended {
            Ok(outcome) => {
                deployment.status = outcome.verdict.into();
                deployment.outcome = Some(outcome);
            }
            Err(error) => {
                deployment.status = Status::Failed;
                deployment.error = Some(error);
            }
        }
        let place = current_key(&deployment.target, &deployment.stack);
        let mut changes = vec![self.put(key(&deployment.id), Expected::Any, &deployment)?];
        if let Some((mut current, version)) = self.read::<Current>(&place)?
            && current.under_way.as_ref() == Some(&deployment.id)
        {
            current.under_way = None;
            if deployment.status.is_good() {
                current.good = Some(deployment.id.clone());
            }
            changes.push(self.put(place, Expected::Version(version), &current)?);
        }
        self.write(changes)?;
        Ok(deployment)
    }

    /// What a deployment has left was taken away since.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub fn tidied(&self, id: &str) -> Result<Deployment> {
        let found: Option<(Deployment, u64)> = self.read(&key(id))?;
        let (mut deployment, version) = found.ok_or_else(|| BookError::NotFound(format!("deployment {id}")))?;
        if let Some(outcome) = &mut deployment.outcome {
            outcome.left.clear();
        }
        self.write(vec![self.put(key(id), Expected::Version(version), &deployment)?])?;
        Ok(deployment)
    }

    /// A deployment.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub fn deployment(&self, id: &str) -> Result<Deployment> {
        let found = self.read(&key(id))?.map(|(deployment, _)| deployment);
        found.ok_or_else(|| BookError::NotFound(format!("deployment {id}")))
    }

    /// What a deployment is made from.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn content(&self, deployment: &Deployment) -> Result<Content> {
        Ok(self.vault.open(&self.place(&key(&deployment.id)), &deployment.sealed)?)
    }

    /// Deployments, the oldest first, after one.
    ///
    /// # Errors
    /// As the store's.
    pub fn deployments(&self, after: Option<&str>, limit: usize) -> Result<Page<Deployment>> {
        let (items, next) = self.scan("deployments/", after.map(key).as_deref(), limit)?;
        Ok((items, next.and_then(|key| key.strip_prefix("deployments/").map(str::to_owned))))
    }

    /// What of a stack is on a target.
    ///
    /// # Errors
    /// As the store's.
    pub fn current(&self, target: &str, stack: &str) -> Result<Option<Current>> {
        Ok(self.read(&current_key(target, stack))?.map(|(current, _)| current))
    }

    /// The stacks on a target.
    ///
    /// # Errors
    /// As the store's.
    pub fn on_target(&self, target: &str) -> Result<Vec<(String, Current)>> {
        let prefix = current_key(target, "");
        let page = self.records.scan(&self.organisation, &prefix, None, 1000)?;
        let mut found = Vec::new();
        for stored in page.items {
            let Some(stack) = stored.key.strip_prefix(&prefix) else { continue };
            let current: Option<(Current, u64)> = self.read(&stored.key)?;
            found.extend(current.map(|(current, _)| (stack.to_owned(), current)));
        }
        Ok(found)
    }

    /// The deployment of a stack that is good on a target, with what it is made from.
    ///
    /// # Errors
    /// Where there is none.
    pub fn good(&self, target: &str, stack: &str) -> Result<(Deployment, Content)> {
        let current = self.current(target, stack)?.unwrap_or_default();
        let none = || BookError::NotFound(format!("deployment of the stack {stack} on {target}"));
        let deployment = self.deployment(&current.good.ok_or_else(none)?)?;
        let content = self.content(&deployment)?;
        Ok((deployment, content))
    }

    /// The deployment to which a rollback goes: the last one before that is made from something else.
    ///
    /// # Errors
    /// Where there is none.
    pub fn before(&self, target: &str, stack: &str) -> Result<(Deployment, Content)> {
        let (good, _) = self.good(target, stack)?;
        let mut next = good.previous.clone();
        // A deployment that rolled back is no step on the way back: what it went back to is.
        let mut at = good.clone();
        if let Some(to) = &good.rollback_to {
            at = self.deployment(to)?;
            next = at.previous.clone();
        }
        while let Some(id) = next {
            let deployment = self.deployment(&id)?;
            if deployment.digest != at.digest {
                let content = self.content(&deployment)?;
                return Ok((deployment, content));
            }
            next = deployment.previous;
        }
        Err(BookError::NotFound(format!("deployment of the stack {stack} on {target} before the present one")))
    }

    /// An earlier deployment of a stack on a target, to go back to, with what it is made from.
    ///
    /// # Errors
    /// Where it is one of something else, or did not end well.
    pub fn earlier(&self, target: &str, stack: &str, id: &str) -> Result<(Deployment, Content)> {
        let found = self.deployment(id)?;
        if found.stack != stack || found.target != target {
            return Err(BookError::Invalid(format!("{id} deployed {} to {}", found.stack, found.target)));
        }
        if !found.status.is_good() {
            let why = format!("deployment {id} did not end well; there is nothing to go back to");
            return Err(BookError::Invalid(why));
        }
        let content = self.content(&found)?;
        Ok((found, content))
    }

    /// The stack is not on the target any more.
    ///
    /// # Errors
    /// Where a deployment of it is under way.
    pub fn removed(&self, target: &str, stack: &str, take_over: bool) -> Result<()> {
        let place = current_key(target, stack);
        let Some((current, version)) = self.read::<Current>(&place)? else { return Ok(()) };
        match current.under_way {
            Some(id) if !take_over => Err(BookError::UnderWay(id)),
            _ => self.write(vec![Change::delete(&self.organisation, place, Expected::Version(version))]),
        }
    }

    /// The values to deploy with: what is given, and passwords that were made for the stack on this target before.
    ///
    /// # Errors
    /// As the store's.
    pub fn values(
        &self,
        target: &str,
        stack: &str,
        variables: &[Variable],
        given: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>> {
        let before = match self.good(target, stack) {
            Ok((_, content)) => content.values,
            Err(BookError::NotFound(_)) => return Ok(given.clone()),
            Err(error) => return Err(error),
        };
        let passwords = variables.iter().filter(|variable| variable.kind == Kind::Password);
        Ok(carry_over(given, &before, passwords.map(|variable| variable.name.clone())))
    }
}
