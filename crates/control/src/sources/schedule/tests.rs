use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn ran(started_at: &str, completed_at: Option<&str>) -> Option<NewestRun> {
    Some(NewestRun {
        started_at: at(started_at),
        completed_at: completed_at.map(at),
    })
}

/// Of a source whose streams never started over.
fn since(ready_at: Timestamp) -> Readiness {
    Readiness {
        ready_at,
        reset_at: None,
    }
}

fn settings(value: Value) -> Plan {
    planned(&serde_json::from_value(value).unwrap(), 30).unwrap()
}

fn minutes(value: Value) -> u32 {
    match settings(value) {
        Plan::Interval(schedule) => schedule.interval_minutes,
        Plan::Cron(schedule) => panic!("{schedule:?}"),
    }
}

#[test]
fn the_type_default_applies_without_a_frequency() {
    assert_eq!(minutes(json!({})), 30);
    assert_eq!(minutes(json!({"frequency_in_minutes": "360"})), 360);
    assert_eq!(minutes(json!({"frequency_in_minutes": "0"})), 30);
}

#[test]
fn a_cron_expression_goes_before_frequency_and_anchor() {
    let (noon, anchor) = ("0 0 12 * * ?", "2031-01-01T03:30:00Z");
    for with_cron in [
        json!({"cron_expression": noon}),
        json!({"cron_expression": noon, "frequency_in_minutes": "60"}),
        json!({"cron_expression": noon, "frequency_in_minutes": "60", "anchor_time": anchor}),
        json!({"cron_expression": noon, "anchor_time": anchor}),
    ] {
        assert!(matches!(settings(with_cron), Plan::Cron(_)));
    }
    for (frequency, anchored) in [("30", false), ("60", true)] {
        let plan = settings(json!({"frequency_in_minutes": frequency, "anchor_time": anchor}));
        assert!(matches!(plan, Plan::Interval(schedule) if schedule.anchored() == anchored));
    }
}

#[test]
fn a_source_without_jobs_is_due_when_it_becomes_ready() {
    let ready = at("2031-01-01T10:00:00Z");
    let now = at("2031-01-01T10:00:05Z");
    let next = next_start(&settings(json!({})), now, None, since(ready));
    assert_eq!(next, Some(ready));
    assert_eq!(ahead(ready, now), at("2031-01-01T10:00:06Z"));
}

#[test]
fn what_is_shown_lies_ahead_in_whole_seconds_too() {
    for (next, now, text) in [
        (
            "2031-01-01T10:00:06Z",
            "2031-01-01T10:00:05.9Z",
            "2031-01-01T10:00:06Z",
        ),
        (
            "2031-01-01T10:00:06.3Z",
            "2031-01-01T10:00:06.2Z",
            "2031-01-01T10:00:07Z",
        ),
        (
            "2031-01-01T10:00:06.3Z",
            "2031-01-01T10:00:05.2Z",
            "2031-01-01T10:00:06Z",
        ),
        (
            "2031-01-01T10:00:06Z",
            "2031-01-01T10:00:06Z",
            "2031-01-01T10:00:07Z",
        ),
    ] {
        assert_eq!(ahead(at(next), at(now)).to_string(), text);
    }
}

#[test]
fn a_slot_that_fell_into_a_job_is_skipped_after_the_job_too() {
    let hourly = settings(json!({"frequency_in_minutes": "60"}));
    let ready = at("2031-01-01T00:00:00Z");
    let next = Some(at("2031-01-01T05:30:00Z"));
    let running = ran("2031-01-01T03:30:00Z", None);
    assert_eq!(
        next_start(&hourly, at("2031-01-01T04:35:00Z"), running, since(ready)),
        next
    );
    let ended = ran("2031-01-01T03:30:00Z", Some("2031-01-01T04:38:00Z"));
    assert_eq!(
        next_start(&hourly, at("2031-01-01T04:40:00Z"), ended, since(ready)),
        next
    );
    // Later, with nobody having run it, that slot is due.
    assert_eq!(
        next_start(&hourly, at("2031-01-01T06:40:00Z"), ended, since(ready)),
        next
    );
}

#[test]
fn another_frequency_counts_from_the_last_start() {
    let half_hourly = settings(json!({"frequency_in_minutes": "30"}));
    let now = at("2031-01-01T06:00:00Z");
    let ended = ran("2031-01-01T03:30:00Z", Some("2031-01-01T03:31:00Z"));
    for saved in ["2031-01-01T00:00:00Z", "2031-01-01T06:00:00Z"] {
        let next = next_start(&half_hourly, now, ended, since(at(saved))).unwrap();
        assert_eq!(next, at("2031-01-01T04:00:00Z"));
        assert_eq!(ahead(next, now), at("2031-01-01T06:00:01Z"));
    }
}

#[test]
fn anchored_slots_ignore_manual_jobs_and_start_after_saving() {
    let anchored =
        settings(json!({"frequency_in_minutes": "360", "anchor_time": "2031-01-01T03:30:00.123Z"}));
    let saved = at("2031-01-02T05:00:00Z");
    let manual = ran("2031-01-02T05:10:00Z", Some("2031-01-02T05:20:00Z"));
    let next = Some(at("2031-01-02T09:30:00.123Z"));
    assert_eq!(next_start(&anchored, saved, None, since(saved)), next);
    assert_eq!(
        next_start(&anchored, at("2031-01-02T05:30:00Z"), manual, since(saved)),
        next
    );
    // New schedule settings: slots before they were saved are not made up for.
    let older = ran("2031-01-01T21:30:00Z", Some("2031-01-01T21:40:00Z"));
    assert_eq!(next_start(&anchored, saved, older, since(saved)), next);
}

#[test]
fn cron_times_ignore_manual_jobs_begin_after_saving_and_skip_what_falls_into_a_job() {
    let half_past = settings(json!({"cron_expression": "0 30 * * * ?"}));
    let saved = at("2031-01-02T05:00:00Z");
    let older = ran("2031-01-01T21:30:00Z", Some("2031-01-01T21:40:00Z"));
    let manual = ran("2031-01-02T05:10:00Z", Some("2031-01-02T05:20:00Z"));
    let long = ran("2031-01-02T05:30:00Z", None);
    let ended = ran("2031-01-02T05:30:00Z", Some("2031-01-02T06:50:00Z"));
    let short = ran("2031-01-02T05:30:00Z", Some("2031-01-02T05:30:00Z"));
    for (now, newest, next) in [
        ("2031-01-02T05:00:00Z", None, "2031-01-02T05:30:00Z"),
        ("2031-01-02T05:10:00Z", older, "2031-01-02T05:30:00Z"),
        // Due until somebody runs it.
        ("2031-01-02T05:31:00Z", older, "2031-01-02T05:30:00Z"),
        ("2031-01-02T05:25:00Z", manual, "2031-01-02T05:30:00Z"),
        ("2031-01-02T06:45:00Z", long, "2031-01-02T07:30:00Z"),
        ("2031-01-02T06:55:00Z", ended, "2031-01-02T07:30:00Z"),
        // Over within the second it began in.
        ("2031-01-02T05:30:00Z", short, "2031-01-02T06:30:00Z"),
    ] {
        let found = next_start(&half_past, at(now), newest, since(saved));
        assert_eq!(found, Some(at(next)), "{now} {newest:?}");
    }
}

#[test]
fn a_schedule_that_has_run_out_is_none() {
    let properties: Properties =
        serde_json::from_value(json!({"cron_expression": "0 0 0 1 1 ? 2031"})).unwrap();
    let ready = at("2030-06-01T00:00:00Z");
    let schedule = shown(&properties, 30, ready, None, since(ready)).unwrap();
    assert_eq!(schedule.next_fire_time, at("2031-01-01T00:00:00Z"));
    let newest = ran("2031-01-01T00:00:00Z", Some("2031-01-01T00:05:00Z"));
    let now = at("2031-06-01T00:00:00Z");
    assert_eq!(shown(&properties, 30, now, newest, since(ready)), None);
}

#[test]
fn what_starts_over_is_due_at_once_and_only_until_a_job_has_begun() {
    let ready = at("2031-01-01T00:00:00Z");
    let reset = Some(at("2031-01-01T05:00:00Z"));
    let readiness = Readiness {
        ready_at: ready,
        reset_at: reset,
    };
    let before = ran("2031-01-01T03:30:00Z", Some("2031-01-01T03:31:00Z"));
    let stopped = ran("2031-01-01T04:59:00Z", Some("2031-01-01T05:00:10Z"));
    let after = ran("2031-01-01T05:00:20Z", Some("2031-01-01T05:01:00Z"));
    let daily = settings(json!({"frequency_in_minutes": "1440"}));
    let anchored =
        settings(json!({"frequency_in_minutes": "1440", "anchor_time": "2031-01-01T12:00:00Z"}));
    let cron = settings(json!({"cron_expression": "0 0 12 * * ?"}));
    let now = at("2031-01-01T05:02:00Z");
    for (plan, regular) in [
        (&daily, "2031-01-02T05:00:20Z"),
        (&anchored, "2031-01-01T12:00:00Z"),
        (&cron, "2031-01-01T12:00:00Z"),
    ] {
        assert_eq!(next_start(plan, now, before, readiness), reset);
        assert_eq!(next_start(plan, now, stopped, readiness), reset);
        let next = next_start(plan, now, after, readiness);
        assert_eq!(next, Some(at(regular)), "once is enough");
        let never_run = next_start(plan, now, None, readiness);
        assert_eq!(never_run, next_start(plan, now, None, since(ready)));
    }
    // Unpaused later.
    let unpaused = Readiness {
        ready_at: now,
        ..readiness
    };
    assert_eq!(next_start(&cron, now, before, unpaused), Some(now));
}
