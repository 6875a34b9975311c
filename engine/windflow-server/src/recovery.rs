//! Taking up, at the start, what has not ended.
//!
//! No run may keep a server from starting, not even one at which the whole process ends. Where process after process ends soon
//! after its start, runs are taken up one at a time, each named in a record before; a run that is named there at the next start
//! is left alone until somebody resumes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::records::{Expected, RecordsError};
use windflow_runtime::ResumeError;

use crate::kept;
use crate::problem::Answer;
use crate::state::{App, blocking};
use crate::{catalogue, deploying};

/// So many processes in a row that ended by themselves soon after their start are no bad luck any more.
const BAD_LUCK: u32 = 2;
/// A process that lives so long has not ended because of what it took up.
const STEADY: Duration = Duration::from_secs(60);
/// How long a run that is taken up alone has for showing that it ends the process.
const ALONE: Duration = Duration::from_millis(500);
const KEY: &str = "recovery";

/// What processes tell those that come after them.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Course {
    /// How many in a row began and neither lived on nor were stopped.
    unsteady: u32,
    /// The run that the last one was taking up alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alone: Option<Named>,
    /// Those at which a process ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quarantined: Vec<Named>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Named {
    organisation: OrganisationId,
    run: RunId,
}

impl Named {
    fn of(key: &RunKey) -> Self {
        Self { organisation: key.organisation.clone(), run: key.run }
    }
}

impl Course {
    /// A process begins. Whether it has to be careful.
    fn begin(&mut self) -> bool {
        self.quarantined.extend(self.alone.take());
        self.unsteady = self.unsteady.saturating_add(1);
        self.unsteady > BAD_LUCK
    }

    fn is_quarantined(&self, key: &RunKey) -> bool {
        self.quarantined.contains(&Named::of(key))
    }

    /// Changes what is kept, as it is by then: somebody may resume a run while others are taken up. What comes of it is durable.
    async fn change<T>(app: &App, mut change: impl FnMut(&mut Self) -> T) -> Answer<(Self, T)> {
        let installation = OrganisationId::installation();
        loop {
            let kept = kept::read::<Self>(&*app.records, &installation, KEY)?;
            let expected = kept.as_ref().map_or(Expected::Absent, |kept| Expected::Version(kept.version));
            let mut course = kept.map(|kept| kept.value).unwrap_or_default();
            let given = change(&mut course);
            match app.records.put(&installation, KEY, expected, kept::encode(&course)?) {
                Ok(changed) => {
                    app.records.durable(changed.position).await?;
                    return Ok((course, given));
                }
                Err(RecordsError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Takes up every run that has not ended, and arms every trigger that is on.
pub(crate) async fn recover(app: &App) -> Answer<()> {
    let (course, careful) = Course::change(app, Course::begin).await?;
    let store = app.store.clone();
    let mut unfinished = blocking(move || store.unfinished()).await??;
    let count = unfinished.len();
    unfinished.retain(|key| !course.is_quarantined(key));
    if careful {
        tracing::warn!(
            "the last {} processes ended soon after their start: runs are taken up one by one",
            course.unsteady - 1
        );
        for key in unfinished {
            Course::change(app, |course| course.alone = Some(Named::of(&key))).await?;
            tracing::info!(run = %key.run, "takes up this run by itself");
            take_up(app, vec![key]).await?;
            tokio::time::sleep(ALONE).await;
        }
        Course::change(app, |course| course.alone = None).await?;
    } else {
        take_up(app, unfinished).await?;
    }
    for Named { organisation, run } in &course.quarantined {
        let key = RunKey { organisation: organisation.clone(), run: *run };
        let reason = "windflow ended while it took up this run, so that it was left alone; resume it to try again";
        app.runtime.stall(&key, reason.to_owned());
    }
    if count > 0 {
        tracing::info!(count, "took up the runs that had not ended");
    }
    for organisation in crate::people::organisations(&*app.records)? {
        deploying::recover(app, &organisation.id).await?;
    }
    catalogue::arm_all(app).await
}

async fn take_up(app: &App, runs: Vec<RunKey>) -> Answer<()> {
    let runtime = app.runtime.clone();
    blocking(move || {
        for key in runs {
            match runtime.resume(&key) {
                Ok(()) | Err(ResumeError::Ended(_)) => {}
                // The runtime remembers why. One broken run must not keep the others, nor the server, from going on.
                Err(error) => tracing::error!(run = %key.run, %error, "a run could not be taken up"),
            }
        }
    })
    .await
}

/// Returns once the process has shown that what it took up does not end it.
pub(crate) async fn grow_steady(app: &App) {
    tokio::select! {
        () = tokio::time::sleep(STEADY) => {}
        () = app.stopped() => {}
    }
    if let Err(problem) = Course::change(app, |course| course.unsteady = 0).await {
        tracing::warn!(%problem, "it could not be noted that this process is steady");
    }
}

/// A run that was left alone is taken up like every other again.
pub(crate) async fn release(app: &App, key: &RunKey) -> Answer<()> {
    let kept = kept::read::<Course>(&*app.records, &OrganisationId::installation(), KEY)?;
    if kept.is_some_and(|kept| kept.value.is_quarantined(key)) {
        Course::change(app, |course| course.quarantined.retain(|named| *named != Named::of(key))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_that_was_taken_up_alone_is_blamed() {
        let run = |number| RunId(uuid::Uuid::from_u128(number));
        let key = |number| RunKey { organisation: OrganisationId::local(), run: run(number) };
        let mut course = Course::default();
        assert!(!course.begin() && !course.begin(), "twice may be bad luck");
        assert!(course.begin(), "three times is none");
        assert!(course.quarantined.is_empty(), "nobody knows yet which it was");
        course.alone = Some(Named::of(&key(1)));
        assert!(course.begin());
        assert!(course.is_quarantined(&key(1)) && !course.is_quarantined(&key(2)));
        assert_eq!(course.alone, None);
        let kept: Course = serde_json::from_slice(&kept::encode(&course).unwrap()).unwrap();
        assert_eq!(kept, course);
    }
}
