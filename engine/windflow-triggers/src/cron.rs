//! Schedules: which instants they name, in which time zone.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use cron::Schedule;
use indexmap::IndexMap;
use serde_json::{Value, json};
use windflow_core::expression::Template;
use windflow_core::problem::{Problem, nearest};

use self::unix::Fields as UnixFields;
use crate::fields::Fields;
use crate::identity::spread;

mod unix;

/// No zone's clock jumps further than this at once.
const WIDEST_JUMP: TimeDelta = TimeDelta::hours(3);

/// A schedule of a workflow.
#[derive(Debug, Clone)]
pub struct Cron {
    /// Its name in the document.
    pub name: Arc<str>,
    /// As it was written.
    pub schedule: String,
    /// Where its hours are counted.
    pub timezone: Tz,
    /// What happens while the run before still runs.
    pub overlap: Overlap,
    /// What happens to what fell due while nobody watched.
    pub catch_up: CatchUp,
    /// Each start is put off by up to so much, always by the same for the same instant.
    pub jitter: Duration,
    /// How an instant becomes inputs.
    pub inputs: IndexMap<String, Template>,
    /// Either of them names an instant.
    schedules: Vec<Schedule>,
    /// Whether it goes on through hours that the clock repeats or leaves out.
    every_hour: bool,
}

/// What happens to an instant that comes while the run before still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It is left out, and told.
    Skip,
    /// It waits for its turn.
    Queue,
    /// It starts at once.
    Allow,
}

/// What happens to instants that came while no server ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out, and told.
    None,
    /// The last of them starts late, the others are left out.
    Latest,
    /// Each of them starts late, one after the other.
    All,
}

impl Cron {
    pub(crate) fn read(name: &str, fields: &Fields<'_>, inputs: IndexMap<String, Template>) -> Result<Self, Problem> {
        let schedule = fields.text("schedule")?.unwrap_or_default();
        let parsed = UnixFields::parse(schedule).map_err(|why| {
            fields.problem("invalid_schedule", format!("`schedule: {schedule}` is no schedule: {why}")).remedy(
                "write minute, hour, day of the month, month and day of the week, as in \"*/15 8-18 * * mon-fri\"",
            )
        })?;
        let zone = fields.text("timezone")?.unwrap_or("UTC");
        let timezone = Tz::from_str(zone).map_err(|_| {
            let near = nearest(zone, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
            let remedy =
                near.map_or_else(|| "name one as in Europe/Paris".to_owned(), |near| format!("did you mean {near}?"));
            fields.problem("unknown_timezone", format!("there is no time zone `{zone}`")).remedy(remedy)
        })?;
        let jitter = fields.text("jitter")?.map(humantime::parse_duration).transpose();
        let jitter = jitter.map_err(|error| fields.problem("invalid_duration", format!("`jitter`: {error}")))?;
        Ok(Self {
            name: name.into(),
            schedule: schedule.to_owned(),
            timezone,
            overlap: match fields.text("overlap")? {
                Some("queue") => Overlap::Queue,
                Some("allow") => Overlap::Allow,
                _ => Overlap::Skip,
            },
            catch_up: match fields.text("catch_up")? {
                Some("latest") => CatchUp::Latest,
                Some("all") => CatchUp::All,
                _ => CatchUp::None,
            },
            jitter: jitter.unwrap_or_default(),
            inputs,
            schedules: parsed.schedules,
            every_hour: parsed.every_hour,
        })
    }

    /// The first instant after another one, in milliseconds since 1970. None where there is none left.
    ///
    /// An hour that the clock leaves out: what was to be in it comes at the moment after it. An hour that the clock
    /// repeats: what was to be in it comes once, at first. Schedules of every hour simply go on, as the clock on the wall
    /// does.
    #[must_use]
    pub fn next(&self, after: u64) -> Option<u64> {
        let after = i64::try_from(after).ok().and_then(DateTime::<Utc>::from_timestamp_millis)?;
        self.schedules.iter().filter_map(|schedule| self.next_of(schedule, after)).min().and_then(millis)
    }

    fn next_of(&self, schedule: &Schedule, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.timezone).naive_local();
        let offset = |at: &DateTime<Utc>| self.timezone.offset_from_utc_datetime(&at.naive_utc()).fix();
        // Nearly always the clock does not jump between now and then.
        let first = wall(schedule, local).next()?;
        if let LocalResult::Single(instant) = self.timezone.from_local_datetime(&first) {
            let instant = instant.to_utc();
            if offset(&instant) == offset(&after) && offset(&(after - WIDEST_JUMP)) == offset(&after) {
                return Some(instant);
            }
        }
        let mut best: Option<DateTime<Utc>> = None;
        for candidate in wall(schedule, local - WIDEST_JUMP) {
            if best.is_some_and(|best| candidate > best.with_timezone(&self.timezone).naive_local() + WIDEST_JUMP) {
                break;
            }
            let found = self.instants(candidate).into_iter().flatten().filter(|instant| *instant > after).min();
            best = best.into_iter().chain(found).min();
        }
        best
    }

    /// The instants at which the wall shows a time.
    fn instants(&self, wall: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        match self.timezone.from_local_datetime(&wall) {
            LocalResult::Single(at) => [Some(at.to_utc()), None],
            LocalResult::Ambiguous(first, second) => [Some(first.to_utc()), self.every_hour.then(|| second.to_utc())],
            LocalResult::None if self.every_hour => [None, None],
            LocalResult::None => [self.end_of_gap(wall), None],
        }
    }

    /// The first moment after a gap of the clock.
    fn end_of_gap(&self, within: NaiveDateTime) -> Option<DateTime<Utc>> {
        // Before the gap the clock ran by the offset of three hours ago: read by it, the time lies behind the jump.
        let before = self.timezone.from_local_datetime(&(within - WIDEST_JUMP)).earliest()?;
        let mut low = before.to_utc();
        let mut high = low + WIDEST_JUMP;
        let old = self.timezone.offset_from_utc_datetime(&low.naive_utc()).fix();
        while high - low > TimeDelta::seconds(1) {
            let middle = low + (high - low) / 2;
            if self.timezone.offset_from_utc_datetime(&middle.naive_utc()).fix() == old {
                low = middle;
            } else {
                high = middle;
            }
        }
        DateTime::from_timestamp(high.timestamp(), 0)
    }

    /// What an instant brings, as `trigger` in expressions.
    #[must_use]
    pub fn data(&self, instant: u64) -> Value {
        let at = i64::try_from(instant).ok().and_then(DateTime::<Utc>::from_timestamp_millis).unwrap_or_default();
        json!({
            "name": &*self.name,
            "scheduled_at": at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "local_time": at.with_timezone(&self.timezone).to_rfc3339_opts(SecondsFormat::Secs, true),
            "timezone": self.timezone.name(),
        })
    }

    /// By how much the start of an instant is put off, in milliseconds.
    #[must_use]
    pub(crate) fn delay(&self, instant: u64) -> u64 {
        spread(&self.name, instant, u64::try_from(self.jitter.as_millis()).unwrap_or(0))
    }
}

/// The times on the wall that a schedule names, after one.
fn wall(schedule: &Schedule, after: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
    schedule.after_owned(after.and_utc()).map(|at| at.naive_utc())
}

fn millis(at: DateTime<Utc>) -> Option<u64> {
    u64::try_from(at.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use windflow_core::workflow::Workflow;

    pub(crate) fn cron(with: &str) -> Cron {
        let text = format!(
            "windflow: 1\nname: a\ntriggers:\n  t: {{ uses: cron, with: {{ {with} }} }}\nnodes: {{ n: {{ uses: log@1 }} }}\n"
        );
        let (workflow, _) = Workflow::parse(&text);
        let (triggers, problems) = crate::compile(&workflow.unwrap());
        assert!(problems.is_empty(), "{problems:?}");
        Cron::clone(&triggers.crons[0])
    }

    fn at(text: &str) -> u64 {
        millis(text.parse::<DateTime<Utc>>().unwrap()).unwrap()
    }

    fn check(schedule: &str, zone: &str, after: &str, expect: &[&str]) {
        let cron = cron(&format!("schedule: \"{schedule}\", timezone: {zone}"));
        let mut last = at(after);
        for expect in expect {
            let next = cron.next(last).unwrap();
            let text = DateTime::<Utc>::from_timestamp_millis(i64::try_from(next).unwrap()).unwrap();
            assert_eq!(next, at(expect), "{schedule} in {zone} after {after}: {text}");
            last = next;
        }
    }

    #[test]
    fn instants_follow_the_schedule() {
        check("*/5 * * * *", "UTC", "2026-11-21T07:01:30Z", &["2026-11-21T07:05:00Z", "2026-11-21T07:10:00Z"]);
        check("30 8 * * *", "Europe/Paris", "2026-11-21T07:30:00Z", &["2026-11-22T07:30:00Z"]);
        check("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z"]);
        check("0 9 * * 1-5", "UTC", "2026-11-20T09:00:00Z", &["2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"]);
        check("0 9 * * 0", "UTC", "2026-11-20T09:00:00Z", &["2026-11-22T09:00:00Z", "2026-11-29T09:00:00Z"]);
        check("0 9 * * 7", "UTC", "2026-11-20T09:00:00Z", &["2026-11-22T09:00:00Z"]);
        check("0 9 * * sat,sun", "UTC", "2026-11-20T09:00:00Z", &["2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z"]);
        // The day of the month or the day of the week, where both are said.
        check("0 0 13 * 5", "UTC", "2026-11-01T00:00:00Z", &["2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z"]);
        check("0 0 15 * 5", "UTC", "2026-11-13T00:00:00Z", &["2026-11-15T00:00:00Z", "2026-11-20T00:00:00Z"]);
        check("*/20 * * * * *", "UTC", "2026-11-21T07:01:30Z", &["2026-11-21T07:01:40Z", "2026-11-21T07:02:00Z"]);
        check("@hourly", "UTC", "2026-11-21T07:01:30Z", &["2026-11-21T08:00:00Z"]);
        check("@daily", "Asia/Tokyo", "2026-11-21T07:01:30Z", &["2026-11-21T15:00:00Z"]);
    }

    #[test]
    fn an_hour_that_is_left_out_loses_nothing() {
        // In Paris the clock goes from 02:00 to 03:00 on 2027-03-28, at 01:00 UTC.
        check("30 2 * * *", "Europe/Paris", "2027-03-27T12:00:00Z", &["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]);
        check(
            "*/30 * * * *",
            "Europe/Paris",
            "2027-03-28T00:29:00Z",
            &["2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z"],
        );
        check("0 3 * * *", "Europe/Paris", "2027-03-27T12:00:00Z", &["2027-03-28T01:00:00Z", "2027-03-29T01:00:00Z"]);
    }

    #[test]
    fn an_hour_that_comes_twice_fires_once_for_a_time_and_on_for_an_interval() {
        // In Paris the clock goes from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
        check("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        check(
            "30 * * * *",
            "Europe/Paris",
            "2026-10-24T23:31:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        );
        check(
            "*/30 * * * *",
            "Australia/Lord_Howe",
            "2026-04-04T14:29:00Z",
            &["2026-04-04T14:30:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"],
        );
    }

    #[test]
    fn a_schedule_that_never_comes_has_no_instant() {
        assert_eq!(cron("schedule: \"0 0 31 2 *\"").next(at("2026-01-01T00:00:00Z")), None);
    }
}
