use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::testing;

use super::*;

#[track_caller]
fn check(config: Value, field: &str, expect: Value) {
    let output =
        testing::run(date_time::NODE, config.clone()).unwrap_or_else(|error| panic!("{config}: {error}")).value;
    assert_eq!(output[field], expect, "{config}: {output}");
}

#[test]
fn reads_the_usual_forms() {
    for time in [
        json!("2026-11-21T10:00:00Z"),
        json!("2026-11-21T11:00:00+01:00"),
        json!("2026-11-21T11:00:00+01:00[Europe/Paris]"),
        json!("2026-11-21 10:00:00"),
        json!("Sat, 21 Nov 2026 10:00:00 GMT"),
        json!(1_795_255_200),
        json!(1_795_255_200.0),
    ] {
        check(json!({ "time": time }), "utc", json!("2026-11-21T10:00:00Z"));
    }
    check(json!({ "time": "21/11/2026", "read_as": "%d/%m/%Y" }), "iso", json!("2026-11-21T00:00:00+00:00"));
    check(json!({ "time": "2026-11-21", "timezone": "Europe/Paris" }), "utc", json!("2026-11-20T23:00:00Z"));
}

#[test]
fn moves_by_the_calendar_also_where_clocks_change() {
    let paris = |time: &str, add: &str| json!({ "time": time, "add": add, "timezone": "Europe/Paris" });
    check(paris("2026-10-24T12:00:00", "1 day"), "iso", json!("2026-10-25T12:00:00+01:00"));
    check(paris("2026-10-24T12:00:00", "24h"), "iso", json!("2026-10-25T11:00:00+01:00"));
    check(paris("2026-01-31T12:00:00", "1 month"), "date", json!("2026-02-28"));
    check(paris("2026-03-01T00:00:00", "1 week ago"), "date", json!("2026-02-22"));
    check(paris("2026-03-01T00:00:00", "P1DT2H"), "time", json!("02:00:00"));
}

#[test]
fn goes_back_to_the_beginning_of_a_unit() {
    for (unit, expect) in [
        ("hour", "2026-11-21T10:00:00+01:00"),
        ("day", "2026-11-21T00:00:00+01:00"),
        ("week", "2026-11-16T00:00:00+01:00"),
        ("month", "2026-11-01T00:00:00+01:00"),
        ("quarter", "2026-10-01T00:00:00+02:00"),
        ("year", "2026-01-01T00:00:00+01:00"),
    ] {
        let config = json!({ "time": "2026-11-21T10:34:56", "timezone": "Europe/Paris", "start_of": unit });
        check(config, "iso", json!(expect));
    }
}

#[test]
fn tells_the_parts_and_the_distance() {
    let config = json!({ "time": "2027-01-01T10:00:00Z", "until": "2027-02-03T13:00:00Z", "format": "%A %d %B %Y" });
    check(config.clone(), "weekday", json!(5));
    check(config.clone(), "week", json!(53));
    check(config.clone(), "text", json!("Friday 01 January 2027"));
    check(config.clone(), "until", json!({ "seconds": 2_862_000, "days": 33, "text": "1mo 2d 3h" }));
    check(json!({ "time": 10, "until": 0 }), "until", json!({ "seconds": -10, "days": 0, "text": "10s ago" }));
}

#[test]
fn says_what_is_wrong() {
    for (config, says) in [
        (json!({ "time": "soon" }), "`time`: `soon` is no time"),
        (json!({ "time": true }), "neither text nor a number"),
        (json!({ "time": 1e300 }), "beyond the seconds"),
        (json!({ "time": 0, "timezone": "Mars/Base" }), "`Mars/Base` is no time zone"),
        (json!({ "time": 0, "add": "two days" }), "`add`"),
        (json!({ "time": 0, "add": "20000 years" }), "`add`"),
        (json!({ "time": "1.1.2026", "read_as": "%d/%m/%Y" }), "does not fit %d/%m/%Y"),
        (json!({ "time": 0, "format": "%Q!%" }), "`format`"),
    ] {
        let error = testing::run(date_time::NODE, config).unwrap_err();
        assert_eq!(error.code, "invalid_time");
        assert!(error.message.contains(says), "{error}");
    }
}
