//! `date-time`: calculates with dates and times. It has no clock.

mod output;
mod read;

use jiff::civil::{Time, Weekday};
use jiff::{Span, ToSpan, Zoned};
use windflow_sdk::{Json, NodeError, config, node};

pub use crate::output::{Output, Until};

/// What is read, moved and written.
#[config]
pub struct Config {
    /// The time: text such as 2026-11-21T10:00:00Z or 2026-11-21, or seconds since 1970; what came in, unless you write something
    /// else.
    #[serde(default = "windflow_sdk::input")]
    time: Json,
    /// How the text is written, such as %d/%m/%Y.
    #[serde(default)]
    read_as: Option<String>,
    /// The time zone, such as Europe/Paris.
    #[serde(default = "utc")]
    timezone: String,
    /// Goes back to the beginning of this unit; weeks begin on Monday.
    #[serde(default)]
    start_of: Option<Unit>,
    /// What is added, such as `2 days` or `1 month 3 hours ago`.
    #[serde(default)]
    add: Option<String>,
    /// Another time: the difference is given.
    #[serde(default)]
    until: Option<Json>,
    /// How `text` is written, such as %A %d %B.
    #[serde(default)]
    format: Option<String>,
}

/// A unit of the calendar.
#[config]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The hour.
    Hour,
    /// The day.
    Day,
    /// The week, from Monday.
    Week,
    /// The month.
    Month,
    /// The quarter of the year.
    Quarter,
    /// The year.
    Year,
}

fn utc() -> String {
    "UTC".to_owned()
}

pub(crate) fn invalid(field: &str, problem: &str) -> NodeError {
    NodeError::new("invalid_time", format!("`{field}`: {problem}"))
}

/// Reads, moves, writes.
#[node(name = "date-time")]
pub fn date_time(config: Config) -> Result<Output, NodeError> {
    let zone = read::zone(&config.timezone)?;
    let mut at = read::time("time", &config.time, config.read_as.as_deref(), &zone)?;
    if let Some(unit) = config.start_of {
        at = start(&at, unit).map_err(|error| invalid("start_of", &error.to_string()))?;
    }
    if let Some(text) = &config.add {
        let span: Span = text.trim().parse().map_err(|error: jiff::Error| {
            invalid("add", &format!("{error}; write such as `2 days`, `90m`, `1 week ago`"))
        })?;
        at = at.checked_add(span).map_err(|error| invalid("add", &error.to_string()))?;
    }
    let until = match &config.until {
        Some(other) => Some(read::time("until", other, config.read_as.as_deref(), &zone)?),
        None => None,
    };
    output::of(&at, until.as_ref(), config.format.as_deref())
}

fn start(at: &Zoned, unit: Unit) -> Result<Zoned, jiff::Error> {
    let date = at.date();
    let date = match unit {
        Unit::Hour => {
            let hour = at.time().with().minute(0).second(0).subsec_nanosecond(0).build()?;
            return at.with().time(hour).build();
        }
        Unit::Day => date,
        Unit::Week => date.checked_sub(i64::from(date.weekday().since(Weekday::Monday)).days())?,
        Unit::Month => date.first_of_month(),
        Unit::Quarter => date.with().month((date.month() - 1) / 3 * 3 + 1).day(1).build()?,
        Unit::Year => date.first_of_year(),
    };
    date.to_datetime(Time::midnight()).to_zoned(at.time_zone().clone())
}

windflow_sdk::plugin!(date_time);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests;
