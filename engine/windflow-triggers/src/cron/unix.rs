//! Schedules as crontab has them, for the `cron` crate, which counts seconds first and days of the week from Sunday as 1.

use std::fmt::Write as _;
use std::str::FromStr;

use cron::Schedule;

/// Longest schedule, in bytes.
const MAX_BYTES: usize = 256;

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule, read.
pub(super) struct Fields {
    /// Either of them names an instant.
    pub(super) schedules: Vec<Schedule>,
    /// Whether every hour is meant.
    pub(super) every_hour: bool,
}

impl Fields {
    /// Reads five fields, or six with seconds in front, or a word such as `@daily`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let text = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (seconds, [minute, hour, day, month, weekday]) = match fields[..] {
            [minute, hour, day, month, weekday] => ("0", [minute, hour, day, month, weekday]),
            [seconds, minute, hour, day, month, weekday] => (seconds, [minute, hour, day, month, weekday]),
            _ => return Err(format!("it has {} fields, not five", fields.len())),
        };
        let weekday = days_of_week(weekday)?;
        let one = |day: &str, weekday: &str| {
            Schedule::from_str(&format!("{seconds} {minute} {hour} {day} {month} {weekday}"))
                .map_err(|error| plain(&error))
        };
        // As crontab has it: where both days are said, either of them is enough.
        let either = !day.starts_with('*') && !weekday.starts_with('*');
        let schedules = if either { vec![one(day, "*")?, one("*", &weekday)?] } else { vec![one(day, &weekday)?] };
        Ok(Self { schedules, every_hour: hour.starts_with('*') })
    }
}

/// The crate tells its grammar over several lines.
fn plain(error: &cron::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim().chars().take(200).collect()
}

/// Days of the week by name: `1-5` of crontab are Monday to Friday, and 0 and 7 both are Sunday.
fn days_of_week(field: &str) -> Result<String, String> {
    let mut text = String::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)),
            None => (part, Some(1)),
        };
        let step: usize = step.ok_or_else(|| format!("{part:?} has no step"))?;
        if range == "*" || range == "?" {
            if step == 1 {
                return Ok("*".to_owned());
            }
            push(&mut text, (0..7).step_by(step));
            continue;
        }
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let from = day(from).ok_or_else(|| format!("{from:?} is no day of the week"))?;
        let to = day(to).ok_or_else(|| format!("{to:?} is no day of the week"))?;
        // Over the end of the week, as in fri-mon.
        let to = if to < from { to + 7 } else { to };
        push(&mut text, (from..=to).step_by(step));
    }
    Ok(text)
}

fn push(text: &mut String, days: impl Iterator<Item = usize>) {
    for day in days {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{}", DAYS[day % 7]);
    }
}

fn day(text: &str) -> Option<usize> {
    let named = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    named.or_else(|| text.parse().ok().filter(|day| *day <= 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_week_are_those_of_crontab() {
        for (given, expect) in [
            ("*", "*"),
            ("0", "SUN"),
            ("7", "SUN"),
            ("1-5", "MON,TUE,WED,THU,FRI"),
            ("5-7", "FRI,SAT,SUN"),
            ("fri-mon", "FRI,SAT,SUN,MON"),
            ("*/2", "SUN,TUE,THU,SAT"),
            ("1,Wed", "MON,WED"),
            ("1-5/2", "MON,WED,FRI"),
        ] {
            assert_eq!(days_of_week(given).as_deref(), Ok(expect), "{given}");
        }
        for bad in ["8", "x", "", "1-", "1/0", "1/x", "-1"] {
            assert!(days_of_week(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "*",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 32 * *",
            "* * * 13 *",
            "@often",
            "* * * * * * *",
            &"*".repeat(300),
        ] {
            assert!(Fields::parse(bad).is_err(), "{bad}");
        }
    }
}
