//! How long a server wants to be left alone.

/// The header `Retry-After` in milliseconds from now. Guests have no clock: a date is compared with the answer's own.
pub(super) fn milliseconds(headers: &[(String, String)]) -> Option<u64> {
    let get = |name| super::header(headers, name);
    let value = get("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return seconds.checked_mul(1000);
    }
    let (until, now) = (seconds(value)?, seconds(get("date")?)?);
    u64::try_from(until - now).unwrap_or(0).checked_mul(1000)
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = date.split_once(", ")?;
    let mut parts = date.split_ascii_whitespace();
    let day: i64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut time = parts.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expect: Option<u64>) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(milliseconds(&headers), expect);
    }

    #[test]
    fn reads_seconds_and_dates() {
        check(&[("retry-after", "120")], Some(120_000));
        let date = ("date", "Wed, 28 Feb 2024 23:59:50 GMT");
        check(&[("retry-after", "Thu, 29 Feb 2024 00:00:20 GMT"), date], Some(30_000));
        check(&[("retry-after", "Fri, 01 Mar 2024 00:00:00 GMT"), date], Some((24 * 3600 + 10) * 1000));
        check(&[("retry-after", "Wed, 28 Feb 2024 23:59:00 GMT"), date], Some(0));
        check(&[("retry-after", "Thu, 29 Feb 2024 00:00:20 GMT")], None);
        check(&[("retry-after", "soon"), date], None);
        check(&[("retry-after", "18446744073709551615")], None);
        check(&[], None);
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }
}
