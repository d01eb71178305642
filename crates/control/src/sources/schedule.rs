//! When a source starts next, from its settings and its newest job.

use selvedge_catalog::Properties;
use selvedge_types::Timestamp;
use selvedge_types::schedule::IntervalSchedule;
use serde_json::Value;

/// What the last job says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewestRun {
    pub(crate) started_at: Timestamp,
    /// `None` while the job is pending or running.
    pub(crate) completed_at: Option<Timestamp>,
}

/// The plan of a source that is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub interval_minutes: u32,
    /// The next planned start, after the present.
    pub next_fire_time: Timestamp,
}

/// The schedule that the properties ask for. Sources without a frequency follow the default of their type.
pub(crate) fn planned(properties: &Properties, default_minutes: u32) -> IntervalSchedule {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    IntervalSchedule {
        interval_minutes: text("frequency_in_minutes")
            .and_then(|minutes| minutes.parse().ok())
            .filter(|minutes| *minutes > 0)
            .unwrap_or(default_minutes),
        anchor: text("anchor_time").and_then(|anchor| Timestamp::parse(anchor).ok()),
    }
}

/// When the next job is to start; in the past when it is due. `ready_at` is when the source became fully configured,
/// was unpaused or got new schedule settings.
pub(crate) fn next_start(
    schedule: IntervalSchedule,
    now: Timestamp,
    newest: Option<NewestRun>,
    ready_at: Timestamp,
) -> Timestamp {
    let Some(newest) = newest else {
        return schedule.next_fire(now, None, ready_at, false);
    };
    // Slots that passed while the job ran are skipped, also once it has ended: from its end on, the next one counts.
    let anchored = schedule.anchor.is_some() && schedule.interval_minutes >= 60;
    let reference = match newest.completed_at {
        None => now,
        Some(completed_at) if anchored => completed_at.max(ready_at),
        Some(completed_at) => completed_at,
    };
    schedule.next_fire(reference, Some(newest.started_at), ready_at, true)
}

/// What an answer shows for a start that is due: the next whole second, because a planned start lies ahead.
pub(crate) fn shown(next_start: Timestamp, now: Timestamp) -> Timestamp {
    if next_start > now {
        next_start
    } else {
        now.plus_seconds(1)
    }
}

#[cfg(test)]
mod tests {
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

    fn settings(value: Value) -> IntervalSchedule {
        planned(&serde_json::from_value(value).unwrap(), 30)
    }

    #[test]
    fn the_type_default_applies_without_a_frequency() {
        assert_eq!(settings(json!({})).interval_minutes, 30);
        assert_eq!(
            settings(json!({"frequency_in_minutes": "360"})).interval_minutes,
            360
        );
        assert_eq!(
            settings(json!({"frequency_in_minutes": "0"})).interval_minutes,
            30
        );
    }

    #[test]
    fn a_source_without_jobs_is_due_when_it_becomes_ready() {
        let ready = at("2031-01-01T10:00:00Z");
        let now = at("2031-01-01T10:00:05Z");
        let next = next_start(settings(json!({})), now, None, ready);
        assert_eq!(next, ready);
        assert_eq!(shown(next, now), at("2031-01-01T10:00:06Z"));
    }

    #[test]
    fn a_slot_that_fell_into_a_job_is_skipped_after_the_job_too() {
        let hourly = settings(json!({"frequency_in_minutes": "60"}));
        let ready = at("2031-01-01T00:00:00Z");
        let next = at("2031-01-01T05:30:00Z");
        assert_eq!(
            next_start(
                hourly,
                at("2031-01-01T04:35:00Z"),
                ran("2031-01-01T03:30:00Z", None),
                ready
            ),
            next
        );
        let ended = ran("2031-01-01T03:30:00Z", Some("2031-01-01T04:38:00Z"));
        assert_eq!(
            next_start(hourly, at("2031-01-01T04:40:00Z"), ended, ready),
            next
        );
        // Later, with nobody having run it, that slot is due.
        assert_eq!(
            next_start(hourly, at("2031-01-01T06:40:00Z"), ended, ready),
            next
        );
    }

    #[test]
    fn a_shorter_frequency_counts_from_the_last_start() {
        let half_hourly = settings(json!({"frequency_in_minutes": "30"}));
        let now = at("2031-01-01T06:00:00Z");
        let ended = ran("2031-01-01T03:30:00Z", Some("2031-01-01T03:31:00Z"));
        let next = next_start(half_hourly, now, ended, at("2031-01-01T00:00:00Z"));
        assert_eq!(next, at("2031-01-01T04:00:00Z"));
        assert_eq!(shown(next, now), at("2031-01-01T06:00:01Z"));
    }

    #[test]
    fn anchored_slots_ignore_manual_jobs_and_start_after_saving() {
        let anchored = settings(
            json!({"frequency_in_minutes": "360", "anchor_time": "2031-01-01T03:30:00.123Z"}),
        );
        let saved = at("2031-01-02T05:00:00Z");
        let manual = ran("2031-01-02T05:10:00Z", Some("2031-01-02T05:20:00Z"));
        let next = at("2031-01-02T09:30:00.123Z");
        assert_eq!(next_start(anchored, saved, None, saved), next);
        assert_eq!(
            next_start(anchored, at("2031-01-02T05:30:00Z"), manual, saved),
            next
        );
        // New schedule settings: slots before they were saved are not made up for.
        let older = ran("2031-01-01T21:30:00Z", Some("2031-01-01T21:40:00Z"));
        assert_eq!(next_start(anchored, saved, older, saved), next);
    }
}
