//! Points in time, and the clock that hands them out.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::DateTime;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A UTC instant with microsecond precision, kept as microseconds since 1970-01-01T00:00:00Z.
///
/// `Display` is the API's wire form: whole seconds and `Z`, for example `2031-02-03T04:05:06Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a timestamp.
#[derive(Debug, thiserror::Error)]
#[error("not an ISO 8601 timestamp with a zone or offset")]
pub struct ParseTimestampError;

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch; negative before 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded towards the past.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Parses ISO 8601 with any offset. A date alone, or a time without zone, is refused.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant.as_microsecond()));
        }
        // The library's instants end a few hours before the year 9999 does; a far end like 9999-12-31T23:59:59Z is common.
        let utc = text.strip_suffix(['Z', 'z']).ok_or(ParseTimestampError)?;
        let civil: DateTime = utc.parse().map_err(|_| ParseTimestampError)?;
        if !utc.contains(['T', 't', ' ']) {
            return Err(ParseTimestampError);
        }
        let since_epoch = civil.duration_since(EPOCH).as_micros();
        i64::try_from(since_epoch)
            .map(Self)
            .map_err(|_| ParseTimestampError)
    }

    /// The instant `seconds` later (earlier when negative), saturating at the ends of the range.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Wire form with milliseconds: `2031-02-03T04:05:06.789Z`.
    pub fn to_millis_string(self) -> String {
        format!("{:.3}Z", self.civil())
    }

    /// Canonical form with microseconds: `2031-02-03T04:05:06.789012Z`.
    pub fn to_micros_string(self) -> String {
        format!("{:.6}Z", self.civil())
    }

    /// Date and time in UTC; the first or last that the calendar has for instants beyond the years -9999 to 9999.
    fn civil(self) -> DateTime {
        let beyond = if self.0 < 0 {
            DateTime::MIN
        } else {
            DateTime::MAX
        };
        EPOCH
            .checked_add(SignedDuration::from_micros(self.0))
            .unwrap_or(beyond)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whole seconds are cut, not rounded: an answer never names an instant that has not come yet.
        let second = self.0.div_euclid(1_000_000);
        write!(
            formatter,
            "{:.0}Z",
            Self(second.saturating_mul(1_000_000)).civil()
        )
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the present comes from. The engine and the rules take it as a parameter, so that tests can hold it still.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_whole_seconds() {
        let instant = Timestamp::parse("2031-02-03T06:05:06.987654+02:00").unwrap();
        assert_eq!(instant.to_string(), "2031-02-03T04:05:06Z");
        assert_eq!(instant.to_millis_string(), "2031-02-03T04:05:06.987Z");
        assert_eq!(instant.to_micros_string(), "2031-02-03T04:05:06.987654Z");
    }

    #[test]
    fn the_last_second_of_the_calendar_survives() {
        for text in [
            "9999-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_micros_string(), text);
        }
        assert_eq!(
            Timestamp::from_micros(-1).to_string(),
            "1969-12-31T23:59:59Z"
        );
    }

    #[test]
    fn text_without_a_zone_is_refused() {
        for bad in [
            "",
            "2031-02-03",
            "2031-02-03Z",
            "2031-02-03T04:05:06",
            "yesterday",
            "Z",
        ] {
            assert!(Timestamp::parse(bad).is_err(), "{bad:?} parsed");
        }
    }
}
