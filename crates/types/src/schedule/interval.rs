//! Schedules that are spaced evenly, from the last start or from an anchor.

use crate::Timestamp;

/// How the start times of a source are spaced. All times are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalSchedule {
    /// Minutes between starts; at least 1.
    pub interval_minutes: u32,
    /// Starts are at `anchor + k * interval`. Without effect when the interval is under an hour.
    pub anchor: Option<Timestamp>,
}

impl IntervalSchedule {
    /// Whether the anchor sets the starts.
    pub fn anchored(&self) -> bool {
        self.anchor.is_some() && self.interval_minutes >= 60
    }

    /// The next planned start, strictly after `now` unless a start is already due.
    ///
    /// `last_start` is the start of the newest job, scheduled or manual; `ready_at` is when the source became fully
    /// configured or was unpaused. A slot that passed while a job was running is skipped, so with `running` set the
    /// answer is the next slot after `now`.
    pub fn next_fire(
        &self,
        now: Timestamp,
        last_start: Option<Timestamp>,
        ready_at: Timestamp,
        running: bool,
    ) -> Timestamp {
        let step = i64::from(self.interval_minutes.max(1)) * 60_000_000;
        let after =
            |origin: i64, instant: i64| origin + ((instant - origin).div_euclid(step) + 1) * step;
        if let Some(anchor) = self.anchor.filter(|_| self.anchored()) {
            // A slot between the last start (or becoming ready) and now that nobody has run yet is due.
            let since = last_start.map_or(ready_at, |start| start.max(ready_at));
            let due = after(anchor.as_micros(), since.as_micros());
            let next = if running || due <= since.as_micros() {
                after(anchor.as_micros(), now.as_micros())
            } else {
                due
            };
            return Timestamp::from_micros(next);
        }
        match last_start {
            None => ready_at,
            Some(start) if running => Timestamp::from_micros(after(
                start.as_micros(),
                now.as_micros().max(start.as_micros()),
            )),
            Some(start) => Timestamp::from_micros(start.as_micros() + step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn every(interval_minutes: u32, anchor: Option<&str>) -> IntervalSchedule {
        IntervalSchedule {
            interval_minutes,
            anchor: anchor.map(at),
        }
    }

    #[test]
    fn a_new_source_starts_as_soon_as_it_is_ready() {
        let ready = at("2031-01-01T10:00:00Z");
        assert_eq!(every(60, None).next_fire(ready, None, ready, false), ready);
    }

    #[test]
    fn starts_are_spaced_from_the_last_start_and_overrun_slots_are_skipped() {
        let schedule = every(60, None);
        let (start, ready) = (at("2031-01-01T03:30:00Z"), at("2031-01-01T00:00:00Z"));
        assert_eq!(
            schedule.next_fire(at("2031-01-01T03:40:00Z"), Some(start), ready, false),
            at("2031-01-01T04:30:00Z")
        );
        assert_eq!(
            schedule.next_fire(at("2031-01-01T04:38:00Z"), Some(start), ready, true),
            at("2031-01-01T05:30:00Z")
        );
    }

    #[test]
    fn anchored_slots_follow_the_anchor() {
        for (now, minutes, anchor, next) in [
            (
                "2031-01-01T12:00:00Z",
                360,
                "2031-01-01T13:00:00Z",
                "2031-01-01T13:00:00Z",
            ),
            (
                "2031-01-01T16:00:00Z",
                1440,
                "2031-01-01T13:00:00Z",
                "2031-01-02T13:00:00Z",
            ),
            (
                "2031-01-01T17:30:00Z",
                60,
                "2031-01-01T18:30:00Z",
                "2031-01-01T18:30:00Z",
            ),
        ] {
            let now = at(now);
            assert_eq!(
                every(minutes, Some(anchor)).next_fire(now, None, now, false),
                at(next)
            );
        }
    }

    #[test]
    fn an_anchor_under_an_hour_has_no_effect() {
        let ready = at("2031-01-01T10:00:00Z");
        assert_eq!(
            every(30, Some("2031-01-01T10:20:00Z")).next_fire(ready, None, ready, false),
            ready
        );
    }
}
