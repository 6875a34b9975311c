//! Times as people and machines write them.

use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use windflow_sdk::serde_json::Value;
use windflow_sdk::{Json, NodeError};

use crate::invalid;

pub(crate) fn zone(name: &str) -> Result<TimeZone, NodeError> {
    TimeZone::get(name)
        .map_err(|_| invalid("timezone", &format!("`{name}` is no time zone; write such as Europe/Paris or UTC")))
}

/// A time, in the zone.
pub(crate) fn time(field: &str, value: &Json, read_as: Option<&str>, zone: &TimeZone) -> Result<Zoned, NodeError> {
    match value.parse::<Value>()? {
        Value::Number(seconds) => {
            let parts = seconds.as_i64().map(|whole| (whole, 0)).or_else(|| seconds.as_f64().and_then(parts));
            parts
                .and_then(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).ok())
                .map(|at| at.to_zoned(zone.clone()))
                .ok_or_else(|| invalid(field, &format!("{seconds} is beyond the seconds that a time can have")))
        }
        Value::String(text) => match read_as {
            Some(format) => formatted(&text, format, zone)
                .map_err(|error| invalid(field, &format!("`{text}` does not fit {format}: {error}"))),
            None => usual(text.trim(), zone).ok_or_else(|| {
                invalid(field, &format!("`{text}` is no time in a usual form; say with `read_as` how it is written"))
            }),
        },
        _ => Err(invalid(field, "is neither text nor a number of seconds")),
    }
}

/// Seconds with a fraction, as JSON has them.
#[allow(clippy::cast_possible_truncation, reason = "checked against the seconds that a time can have right after")]
fn parts(seconds: f64) -> Option<(i64, i32)> {
    let whole = seconds.floor();
    (whole.abs() < 1e15).then_some((whole as i64, ((seconds - whole) * 1e9) as i32))
}

fn usual(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if let Ok(at) = text.parse::<Zoned>() {
        return Some(at.with_time_zone(zone.clone()));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned(zone.clone()));
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return at.to_zoned(zone.clone()).ok();
    }
    rfc2822::parse(text).ok().map(|at| at.with_time_zone(zone.clone()))
}

fn formatted(text: &str, format: &str, zone: &TimeZone) -> Result<Zoned, jiff::Error> {
    let read = strtime::parse(format, text.trim())?;
    if let Ok(at) = read.to_timestamp() {
        return Ok(at.to_zoned(zone.clone()));
    }
    let time = read.to_time().unwrap_or_else(|_| jiff::civil::Time::midnight());
    read.to_date()?.to_datetime(time).to_zoned(zone.clone())
}
