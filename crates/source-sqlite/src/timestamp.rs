//! Times as SQLite keeps them: ISO 8601 text, with or without a time of day, a fraction and a zone.

/// First and last microsecond of the years 0001 to 9999.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// What a text is, read as a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instant {
    /// Microseconds since 1970-01-01T00:00:00Z; a text without zone is UTC.
    At(i64),
    /// A time before the year 0001 or after 9999.
    OutOfRange,
    /// Something else.
    NotATime,
}

/// Reads `YYYY-MM-DD`, `YYYY-MM-DD HH:MM`, seconds with any number of decimals (cut after the sixth), and `Z`, `±HH`,
/// `±HHMM` or `±HH:MM` behind them; `T` may stand for the blank.
pub(crate) fn parse(text: &[u8]) -> Instant {
    match read(text) {
        Some(micros) if (FIRST..=LAST).contains(&micros) => Instant::At(micros),
        Some(_) => Instant::OutOfRange,
        None => Instant::NotATime,
    }
}

fn read(text: &[u8]) -> Option<i64> {
    let mut rest = Cursor(text);
    let year = rest.digits(4)?;
    rest.expect(b'-')?;
    let month = rest.digits(2)?;
    rest.expect(b'-')?;
    let day = rest.digits(2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * MICROS_PER_DAY;
    if rest.0.is_empty() {
        return Some(midnight);
    }
    if !rest.skip(b' ') && !rest.skip(b'T') && !rest.skip(b't') {
        return None;
    }
    let hour = rest.digits(2)?;
    rest.expect(b':')?;
    let minute = rest.digits(2)?;
    let (second, fraction) = if rest.skip(b':') {
        (rest.digits(2)?, rest.fraction()?)
    } else {
        (0, 0)
    };
    // A leap second is the next second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset_minutes = rest.offset()?;
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    Some(midnight + seconds * MICROS_PER_SECOND + fraction)
}

/// The text still to be read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + i64::from(digit - b'0'))
        })
    }

    /// Microseconds of an optional `.ffffff…`.
    fn fraction(&mut self) -> Option<i64> {
        if !self.skip(b'.') {
            return Some(0);
        }
        let count = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let digit = |at: usize| i64::from(digits.get(at).map_or(0, |digit| digit - b'0'));
        (count > 0).then(|| (0..6).fold(0, |value, at| value * 10 + digit(at)))
    }

    /// Minutes east of UTC; must be the end of the text.
    fn offset(&mut self) -> Option<i64> {
        self.skip(b' ');
        let minutes = if self.0.is_empty() || self.skip(b'Z') || self.skip(b'z') {
            0
        } else {
            let sign = if self.skip(b'+') {
                1
            } else {
                self.expect(b'-')?;
                -1
            };
            let hours = self.digits(2)?;
            let minutes = if self.0.is_empty() {
                0
            } else {
                self.skip(b':');
                self.digits(2)?
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        };
        self.0.is_empty().then_some(minutes)
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras of years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_types::Timestamp;

    #[test]
    fn every_spelling_is_the_same_instant() {
        for (text, expected) in [
            ("2031-02-03", "2031-02-03T00:00:00Z"),
            ("2031-02-03 04:05", "2031-02-03T04:05:00Z"),
            ("2031-02-03T04:05:06Z", "2031-02-03T04:05:06Z"),
            ("2031-02-03 04:05:06.7", "2031-02-03T04:05:06.7Z"),
            (
                "2031-02-03 04:05:06.123456789+02:00",
                "2031-02-03T02:05:06.123456Z",
            ),
            ("2031-02-03 04:05:06 -0530", "2031-02-03T09:35:06Z"),
            ("2031-02-03T04:05:06+02", "2031-02-03T02:05:06Z"),
            ("1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.999999Z"),
            ("0001-01-01", "0001-01-01T00:00:00Z"),
            ("2000-02-29", "2000-02-29T00:00:00Z"),
            ("2016-12-31 23:59:60", "2017-01-01T00:00:00Z"),
        ] {
            let expected = Timestamp::parse(expected).unwrap().as_micros();
            assert_eq!(parse(text.as_bytes()), Instant::At(expected), "{text}");
        }
        assert_eq!(parse(b"9999-12-31 23:59:59.999999"), Instant::At(LAST));
    }

    #[test]
    fn days_agree_with_a_calendar_over_the_whole_range() {
        for days in (-719_000..2_932_000).step_by(997) {
            let instant = Timestamp::from_micros(days * MICROS_PER_DAY);
            let text = instant.to_string();
            assert_eq!(
                parse(text.as_bytes()),
                Instant::At(instant.as_micros()),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2031",
            "2031-02",
            "2031-2-3",
            "2031-02-30",
            "1900-02-29",
            "2031-13-01",
            "2031-00-01",
            "2031-02-03X",
            "2031-02-03 ",
            "2031-02-03 24:00",
            "2031-02-03 04",
            "2031-02-03 04:60",
            "2031-02-03 04:05:61",
            "2031-02-03 04:05:06.",
            "2031-02-03 04:05:06+",
            "2031-02-03 04:05:06+99:00",
            "2031-02-03 04:05:06Zx",
            "20310203",
            "n/a",
            "1700000000",
        ] {
            assert_eq!(parse(text.as_bytes()), Instant::NotATime, "{text:?}");
        }
        for text in [
            "0000-12-31",
            "0001-01-01 00:30+01:00",
            "9999-12-31 23:30-01:00",
        ] {
            assert_eq!(parse(text.as_bytes()), Instant::OutOfRange, "{text:?}");
        }
    }
}
