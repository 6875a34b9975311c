//! A time in every form.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SpanRound, Unit, Zoned};
use windflow_sdk::{NodeError, output};

use crate::invalid;

/// The time in every form.
#[output]
pub struct Output {
    /// RFC 3339 with the zone's offset.
    iso: String,
    /// RFC 3339 in UTC.
    utc: String,
    /// Seconds since 1970.
    unix: i64,
    /// Such as 2026-11-21.
    date: String,
    /// Such as 10:00:00.
    time: String,
    /// The year.
    year: i16,
    /// 1 to 12.
    month: i8,
    /// 1 to 31.
    day: i8,
    /// 0 to 23.
    hour: i8,
    /// 0 to 59.
    minute: i8,
    /// 0 to 59.
    second: i8,
    /// 1 is Monday, 7 is Sunday.
    weekday: i8,
    /// The week of ISO 8601.
    week: i8,
    /// 1 to 366.
    day_of_year: i16,
    /// The time zone.
    timezone: String,
    /// Such as +01:00.
    offset: String,
    /// As `format` says; null without one.
    text: Option<String>,
    /// How long it is until `until`; null without one.
    until: Option<Until>,
}

/// How long it is until another time; negative where that lies before.
#[output]
pub struct Until {
    /// In seconds.
    seconds: i64,
    /// In whole days of the calendar.
    days: i32,
    /// Such as `1mo 2d 3h`.
    text: String,
}

pub(crate) fn of(at: &Zoned, until: Option<&Zoned>, format: Option<&str>) -> Result<Output, NodeError> {
    let write = |format: &str, at: &Zoned| {
        strtime::format(format, at).map_err(|error| invalid("format", &format!("{format}: {error}")))
    };
    let until = match until {
        Some(until) => Some(distance(at, until).map_err(|error| invalid("until", &error.to_string()))?),
        None => None,
    };
    Ok(Output {
        iso: write("%Y-%m-%dT%H:%M:%S%.f%:z", at)?,
        utc: at.timestamp().to_string(),
        unix: at.timestamp().as_second(),
        date: at.date().to_string(),
        time: write("%H:%M:%S", at)?,
        year: at.year(),
        month: at.month(),
        day: at.day(),
        hour: at.hour(),
        minute: at.minute(),
        second: at.second(),
        weekday: at.weekday().to_monday_one_offset(),
        week: at.date().iso_week_date().week(),
        day_of_year: at.day_of_year(),
        timezone: at.time_zone().iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned),
        offset: write("%:z", at)?,
        text: format.map(|format| write(format, at)).transpose()?,
        until,
    })
}

fn distance(from: &Zoned, to: &Zoned) -> Result<Until, jiff::Error> {
    let seconds = to.timestamp().as_second() - from.timestamp().as_second();
    // Read in UTC, days would be those of another place.
    debug_assert!(from.time_zone() == to.time_zone() || *to.time_zone() == TimeZone::UTC);
    let days = from.until((Unit::Day, to))?.get_days();
    let span = from.until((Unit::Year, to))?;
    let span = span.round(SpanRound::new().smallest(Unit::Second).largest(Unit::Year).relative(from))?;
    Ok(Until { seconds, days, text: format!("{span:#}") })
}
