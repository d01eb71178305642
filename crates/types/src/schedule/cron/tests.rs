//! Against a model that tries every minute, and the refusals.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn refusal(expression: &str) -> String {
    match CronSchedule::parse(expression) {
        Ok(_) => panic!("{expression:?} was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_next_time_is_strictly_after_the_instant() {
    let weekdays = CronSchedule::parse("0 15 6 ? * MON-FRI").unwrap();
    for (instant, next) in [
        ("2031-02-03T04:05:06Z", "2031-02-03T06:15:00Z"),
        ("2031-02-03T06:14:59.999999Z", "2031-02-03T06:15:00Z"),
        ("2031-02-03T06:15:00Z", "2031-02-04T06:15:00Z"),
        ("2031-02-07T06:15:00.000001Z", "2031-02-10T06:15:00Z"),
        ("1969-12-31T23:59:59.5Z", "1970-01-01T06:15:00Z"),
        ("0001-01-01T00:00:00Z", "1970-01-01T06:15:00Z"),
    ] {
        assert_eq!(
            weekdays.next_after(at(instant)),
            Some(at(next)),
            "{instant}"
        );
    }
}

#[test]
fn what_has_no_time_to_come_has_no_next_time() {
    let now = at("2031-02-03T04:05:06Z");
    for expression in [
        "0 0 0 30 2 ?",
        "0 0 0 31 2,4,6,9,11 ?",
        "0 0 0 1 1 ? 1999",
        "0 0 0 29 2 ? 2033-2035",
        "0 5 4 3 2 ? 2031/100",
    ] {
        let schedule = CronSchedule::parse(expression).unwrap();
        assert_eq!(schedule.next_after(now), None, "{expression}");
    }
    let daily = CronSchedule::parse("0 0 12 * * ?").unwrap();
    assert_eq!(
        daily.next_after(at("2099-12-31T11:59:59Z")),
        Some(at("2099-12-31T12:00:00Z"))
    );
    assert_eq!(daily.next_after(at("2099-12-31T12:00:00Z")), None);
    assert_eq!(daily.next_after(Timestamp::from_micros(i64::MAX)), None);
    assert_eq!(
        daily.next_after(Timestamp::from_micros(i64::MIN)),
        Some(at("1970-01-01T12:00:00Z"))
    );
}

#[test]
fn both_day_fields_are_named_in_the_documented_words() {
    let documented = "Support for specifying both a day-of-week AND a day-of-month parameter is not implemented.";
    for both in [
        "* * * * * *",
        "0 15 6 1 * MON",
        "0 0 12 1 * 2 *",
        "0 0 12 * * *",
        "0 0 12 L * 6L",
    ] {
        assert_eq!(refusal(both), documented, "{both}");
    }
}

#[test]
fn a_refusal_names_the_field_and_what_is_wrong_with_it() {
    for (expression, reason) in [
        (
            "",
            "A cron expression has six fields (seconds, minutes, hours, day-of-month, month, day-of-week) and optionally a year.",
        ),
        (
            "daily",
            "A cron expression has six fields (seconds, minutes, hours, day-of-month, month, day-of-week) and optionally a year.",
        ),
        (
            "0 0 12 * * ? * *",
            "A cron expression has six fields (seconds, minutes, hours, day-of-month, month, day-of-week) and optionally a year.",
        ),
        (
            "0 0 12 ? * ?",
            "One of day-of-month and day-of-week must say which days; both are ?.",
        ),
        (
            "* 0 12 * * ?",
            "The seconds field must be a single value: a source starts no more often than once a minute.",
        ),
        (
            "0/30 0 12 * * ?",
            "The seconds field must be a single value: a source starts no more often than once a minute.",
        ),
        (
            "0 60 * * * ?",
            "The minutes field goes from 0 to 59, which 60 is outside of.",
        ),
        (
            "0 0 12 ? * 8",
            "The day-of-week field goes from 1 to 7, which 8 is outside of.",
        ),
        (
            "0 0 12 ? FOO MON",
            "The month field cannot be understood from FOO on.",
        ),
        (
            "0 0 12 ? * MON-FRI/2",
            "The day-of-week field takes steps after numbers and * only, not after names.",
        ),
        (
            "0 0 12 1 8-OCT ?",
            "The month field has a range of a name and a number, 8-OCT.",
        ),
        (
            "0 0/90 * * * ?",
            "The minutes field takes steps of up to 59, not 90.",
        ),
        (
            "0 0 12 1 1 ? 2100",
            "The year field goes from 1970 to 2099, which 2100 is outside of.",
        ),
        (
            "0 0 12 1 1 ? 2035-2032",
            "The year field has a range that runs backwards, from 2035 to 2032.",
        ),
        ("0 ? 12 * * ?", "The minutes field cannot be ?."),
        ("0 5/ 12 * * ?", "The minutes field ends too early."),
        (
            "0 5x 12 * * ?",
            "The minutes field cannot be understood from x on.",
        ),
        (
            "0 99999999999 * * * ?",
            "The minutes field has a number that is too large.",
        ),
        ("0\n0 12 * * ?", "A cron expression has no character '\\n'."),
        ("0 0 12 * * ？", "A cron expression has no character '？'."),
    ] {
        assert_eq!(refusal(expression), reason, "{expression:?}");
    }
}

#[test]
fn a_step_without_a_start_begins_at_the_first_value() {
    let now = at("2031-02-03T04:05:06Z");
    for (bare, full) in [
        ("0 /5 * * * ?", "0 */5 * * * ?"),
        ("0 7,/20 /6 * * ?\t/2", "0 7,*/20 */6 * * ? */2"),
    ] {
        let [bare, full] = [bare, full].map(|text| CronSchedule::parse(text).unwrap());
        assert_eq!(bare.next_after(now), full.next_after(now));
    }
}

#[test]
fn hostile_expressions_are_refused_at_once() {
    let hostile = [
        "0 ".repeat(5_000),
        format!("0 {} * * * ?", "0,".repeat(5_000)),
        format!("0 {} * * * ?", "9".repeat(1_000)),
        format!("0 0/{} * * * ?", u64::MAX),
        "é".repeat(100),
        "\u{0}".repeat(600),
        "?".repeat(1_024),
        format!("0 0 0 L-{} * ?", "1".repeat(900)),
        "0 0 0 ? * 6#99999999999999999999".to_owned(),
        "@every 1ns".to_owned(),
        "@reboot".to_owned(),
    ];
    let started = Instant::now();
    for expression in &hostile {
        refusal(expression);
    }
    assert!(started.elapsed() < Duration::from_millis(500));
}

/// A field of numbers that always parses.
fn numbers(low: u8, high: u8) -> impl Strategy<Value = String> {
    let one =
        (low..=high, low..=high, 1..=high, 0..6_u8).prop_map(
            move |(a, b, step, kind)| match kind {
                0 => format!("{a}-{b}"),
                1 => format!("{a}/{step}"),
                2 => format!("*/{step}"),
                3 => format!("{a}-{b}/{step}"),
                _ => a.to_string(),
            },
        );
    prop_oneof![
        1 => Just("*".to_owned()),
        4 => prop::collection::vec(one, 1..4).prop_map(|items| items.join(",")),
    ]
}

fn days() -> impl Strategy<Value = (String, String)> {
    let of_month = prop_oneof![
        4 => numbers(1, 31),
        1 => Just("L".to_owned()),
        1 => Just("LW".to_owned()),
        1 => (1..=30_u8).prop_map(|days| format!("L-{days}")),
        1 => (1..=31_u8).prop_map(|day| format!("{day}W")),
    ];
    let of_week = prop_oneof![
        4 => numbers(1, 7),
        1 => (1..=7_u8).prop_map(|day| format!("{day}L")),
        1 => (1..=7_u8, 1..=5_u8).prop_map(|(day, nth)| format!("{day}#{nth}")),
    ];
    prop_oneof![
        of_month.prop_map(|day| (day, "?".to_owned())),
        of_week.prop_map(|day| ("?".to_owned(), day)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Trying every second of the right kind, one minute after the other, for ten days.
    #[test]
    fn the_search_finds_what_trying_every_minute_finds(
        minutes in numbers(0, 59),
        hours in numbers(0, 23),
        (day_of_month, day_of_week) in days(),
        months in numbers(1, 12),
        second in 0..60_u8,
        start in 0..4_000_000_000_i64,
    ) {
        let expression = format!("{second} {minutes} {hours} {day_of_month} {months} {day_of_week}");
        let schedule = CronSchedule::parse(&expression).unwrap();
        let start_at = Timestamp::from_micros(start * 1_000_000 + 999_999);
        let window = 10 * 24 * 60;
        let first = start.div_euclid(60) * 60 + i64::from(second);
        let tried = (0..=window)
            .map(|minute| first + minute * 60)
            .filter(|seconds| *seconds > start)
            .find(|seconds| {
                let civil = EPOCH + jiff::SignedDuration::from_secs(*seconds);
                let part = i8::unsigned_abs;
                let instant = cronp::CivilDateTime::new(
                    civil.year().unsigned_abs(), part(civil.month()), part(civil.day()),
                    part(civil.hour()), part(civil.minute()), part(civil.second()),
                ).unwrap();
                schedule.calendar.matches(instant)
            })
            .map(|seconds| Timestamp::from_micros(seconds * 1_000_000));
        let found = schedule.next_after(start_at);
        match tried {
            Some(_) => prop_assert_eq!(found, tried, "{}", expression),
            None => prop_assert!(
                found.is_none_or(|found| found.as_micros() > (first + window * 60) * 1_000_000),
                "{}: {:?}", expression, found
            ),
        }
    }

    #[test]
    fn any_text_is_answered(expression in "\\PC{0,60}|[0-9*?/,LW# -]{0,40}") {
        if let Ok(schedule) = CronSchedule::parse(&expression) {
            let now = Timestamp::from_micros(1_930_000_000_000_000);
            prop_assert!(schedule.next_after(now).is_none_or(|next| next > now));
        }
    }
}

const EPOCH: jiff::civil::DateTime = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
