//! Watching one target.

use std::sync::Arc;
use std::time::Duration;

use prometheus::IntGauge;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use windflow_core::id::OrganisationId;
use windflow_core::run::Timestamp;
use windflow_stacks::carry::CarryError;
use windflow_stacks::driver::{Driver, DriverError, Facts};
use windflow_stacks::status::{DISK_EVERY, FIRST_SAMPLES, Reach, SAMPLE_EVERY, Sample, Status, Usage, pause};

use super::Board;
use crate::state::App;

/// How long an engine may take to say what it is like.
const ANSWER: Duration = Duration::from_secs(20);

/// What happens at the same time is told together.
const SETTLE: Duration = Duration::from_secs(1);

/// A target that is lost sooner than this was hardly reached.
const STEADY: Duration = Duration::from_secs(30);

/// Watches a target until it is told to stop.
pub(super) async fn watch(app: App, organisation: OrganisationId, name: String, board: Arc<Board>, again: Arc<Notify>) {
    let mut one = One::new(app, name, board);
    let Ok(_place) = Arc::clone(&one.app.watching.places).try_acquire_owned() else {
        let error = DriverError::new("too_many_watched", "as many targets are watched as this server watches")
            .remedy("its connection can still be tested by itself");
        return one.unreached(error);
    };
    one.tell();
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let lost = match one.reach(&organisation).await {
            Ok((driver, facts)) => {
                one.count("reached");
                one.reached(facts);
                let lost = one.stay(&*driver, &again).await;
                if begun.elapsed() >= STEADY {
                    failures = 0;
                    // Most who hang up are started again: whether this one is gone is known once it does not answer.
                    continue;
                }
                lost
            }
            Err(error) => {
                one.count("unreached");
                error
            }
        };
        one.unreached(lost);
        tokio::select! {
            () = tokio::time::sleep(pause(&one.status.target, failures)) => {}
            () = again.notified() => {}
        }
        failures = failures.saturating_add(1);
    }
}

/// A target that is watched, and what was told of it last.
struct One {
    app: App,
    board: Arc<Board>,
    status: Status,
    /// The last sample, and when it was taken.
    sampled: Option<(Sample, Instant)>,
    counted: Option<Instant>,
    gauge: Gauge,
}

impl One {
    fn new(app: App, target: String, board: Arc<Board>) -> Self {
        let gauge = Gauge::new(&app, Reach::Checking);
        let status =
            Status { target, status: Reach::Checking, since: app.now(), facts: None, usage: None, error: None };
        Self { app, board, status, sampled: None, counted: None, gauge }
    }

    fn tell(&self) {
        self.board.tell(self.status.clone());
    }

    fn count(&self, outcome: &str) {
        self.app.metrics.target_requests.with_label_values(&[outcome]).inc();
    }

    fn turn(&mut self, to: Reach) -> Timestamp {
        if self.status.status == to {
            return self.status.since;
        }
        self.gauge = Gauge::new(&self.app, to);
        self.app.now()
    }

    fn reached(&mut self, facts: Facts) {
        self.status.since = self.turn(Reach::Reached);
        self.status.status = Reach::Reached;
        self.status.facts = Some(facts);
        self.status.error = None;
        self.tell();
    }

    fn unreached(&mut self, error: DriverError) {
        let is_news = self.status.status != Reach::Unreached || self.status.error.as_ref() != Some(&error);
        self.status.since = self.turn(Reach::Unreached);
        self.status.status = Reach::Unreached;
        self.status.usage = None;
        self.status.error = Some(error);
        (self.sampled, self.counted) = (None, None);
        if is_news {
            self.tell();
        }
    }

    /// Reaches the target, together with a few others at most.
    async fn reach(&self, organisation: &OrganisationId) -> Result<(Arc<dyn Driver>, Facts), DriverError> {
        let _turn = self.app.watching.turns.acquire().await;
        let book = self.app.book(organisation);
        let reached = book.reach(&*self.app.drivers, &self.status.target).await.map_err(|error| match error {
            CarryError::Driver(error) => error,
            CarryError::Book(error) => DriverError::new("not_found", error.to_string()),
        })?;
        let facts = in_time(reached.driver.facts()).await?;
        Ok((reached.driver, facts))
    }

    /// Stays with a target that answers until it does not; why not.
    async fn stay(&mut self, driver: &dyn Driver, again: &Notify) -> DriverError {
        let changed = Notify::new();
        let hear = || changed.notify_one();
        let lost = driver.follow(&hear);
        tokio::pin!(lost);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                lost = &mut lost => return lost.err().unwrap_or_else(|| DriverError::new("unreachable", "the engine is gone")),
                () = changed.notified() => tokio::time::sleep(SETTLE).await,
                () = again.notified() => next = Instant::now(),
                () = sleep_until(next) => {}
            }
            let asked = self.ask(driver, Instant::now() >= next && self.board.is_looked_at());
            tokio::select! {
                lost = &mut lost => return lost.err().unwrap_or_else(|| DriverError::new("unreachable", "the engine is gone")),
                asked = asked => if let Err(error) = asked { return error },
            }
            if Instant::now() >= next {
                let first = self.status.usage.as_ref().is_some_and(|usage| usage.cores.is_none());
                next = Instant::now() + if first { FIRST_SAMPLES } else { SAMPLE_EVERY };
            }
        }
    }

    /// Asks what the target is like, and perhaps what is used on it. That is told where it is news.
    async fn ask(&mut self, driver: &dyn Driver, also_usage: bool) -> Result<(), DriverError> {
        let facts = in_time(driver.facts()).await?;
        let usage = if also_usage { self.usage(driver).await } else { self.status.usage.clone() };
        if self.status.facts.as_ref() != Some(&facts) || self.status.usage != usage {
            self.status.usage = usage;
            self.reached(facts);
        }
        Ok(())
    }

    /// What is used. A target that does not say is reached all the same.
    async fn usage(&mut self, driver: &dyn Driver) -> Option<Usage> {
        let sample = match in_time(driver.sample()).await {
            Ok(sample) => sample,
            Err(error) => {
                self.count("not_sampled");
                tracing::debug!(target = self.status.target, %error, "what is used on a target is not known");
                return None;
            }
        };
        self.count("sampled");
        let now = Instant::now();
        let before = self.sampled.as_ref();
        let cores = before.and_then(|(before, at)| sample.cores_since(before, now - *at));
        let memory = sample.memory;
        self.sampled = Some((sample, now));
        let mut disk = self.status.usage.as_ref().and_then(|usage| usage.disk);
        if self.counted.is_none_or(|at| at.elapsed() >= DISK_EVERY) {
            self.counted = Some(now);
            disk = driver.disk().await.ok().or(disk);
        }
        Some(Usage { cores, memory, disk })
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, DriverError>>) -> Result<T, DriverError> {
    let late = |_| {
        let message = format!("the engine does not answer within {} s", ANSWER.as_secs());
        DriverError::new("unreachable", message).may_help()
    };
    timeout(ANSWER, answer).await.map_err(late)?
}

/// Counts a target among those that are as it is, as long as it is so.
struct Gauge(IntGauge);

impl Gauge {
    fn new(app: &App, reach: Reach) -> Self {
        let gauge = app.metrics.targets_watched.with_label_values(&[reach.word()]);
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.0.dec();
    }
}
