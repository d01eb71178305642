//! The next time an expression fires: years, months and days that are out are skipped whole.
//!
//! The dialect ends with the year 2099, so a search looks at fewer than 48 000 days before it gives up.

use cronp::{Calendar, CivilDateTime, Quartz};
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Unit};

use crate::Timestamp;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// The last year that Quartz documents for its year field.
const LAST_YEAR: i16 = 2099;

/// Hour, minute and second.
type TimeOfDay = (u8, u8, u8);

const MIDNIGHT: TimeOfDay = (0, 0, 0);

/// The first time strictly after `instant`. `second` is the only one that `calendar` admits.
pub(super) fn next_after(
    calendar: &Calendar<Quartz, 2>,
    second: u8,
    instant: Timestamp,
) -> Option<Timestamp> {
    // Times are whole seconds, and none is before 1970.
    let seconds = instant.as_micros().div_euclid(1_000_000).max(-1) + 1;
    let from = EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    let first = time_of_day(calendar, second, MIDNIGHT)?;

    let mut date = from.date();
    while date.year() <= LAST_YEAR {
        // A date from 1970 on has no negative parts.
        let (year, month) = (date.year().unsigned_abs(), date.month().unsigned_abs());
        date = if !calendar.admits_year(year) {
            date.last_of_year().tomorrow().ok()?
        } else if !calendar.admits_month(month) {
            date.last_of_month().tomorrow().ok()?
        } else {
            let earliest = if date == from.date() {
                let part = i8::unsigned_abs;
                (part(from.hour()), part(from.minute()), part(from.second()))
            } else {
                MIDNIGHT
            };
            if admits_day(calendar, date, first)
                && let Some(time) = time_of_day(calendar, second, earliest)
            {
                return instant_of(date, time);
            }
            date.tomorrow().ok()?
        };
    }
    None
}

/// The first time of a day that is admitted and not before `earliest`.
fn time_of_day(
    calendar: &Calendar<Quartz, 2>,
    second: u8,
    earliest: TimeOfDay,
) -> Option<TimeOfDay> {
    let hours = (earliest.0..24).filter(|hour| calendar.admits_hour(*hour));
    hours
        .flat_map(|hour| {
            let minutes = (0..60).filter(|minute| calendar.admits_minute(*minute));
            minutes.map(move |minute| (hour, minute, second))
        })
        .find(|time| *time >= earliest)
}

/// Whether the day fields admit a date. The parser answers for whole instants only, so it is asked about `time`, which the
/// other fields admit.
fn admits_day(calendar: &Calendar<Quartz, 2>, date: Date, time: TimeOfDay) -> bool {
    let (hour, minute, second) = time;
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    CivilDateTime::new(date.year().unsigned_abs(), month, day, hour, minute, second)
        .is_ok_and(|instant| calendar.matches(instant))
}

fn instant_of(date: Date, (hour, minute, second): TimeOfDay) -> Option<Timestamp> {
    let days = i64::from(date.since((Unit::Day, EPOCH.date())).ok()?.get_days());
    let seconds =
        days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(Timestamp::from_micros(seconds * 1_000_000))
}
