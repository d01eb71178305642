//! Points in time, and the clock that hands them out.

use std::fmt;

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
        let instant: jiff::Timestamp = text.parse().map_err(|_| ParseTimestampError)?;
        Ok(Self(instant.as_microsecond()))
    }

    /// The instant `seconds` later (earlier when negative), saturating at the ends of the range.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Wire form with milliseconds: `2031-02-03T04:05:06.789Z`.
    pub fn to_millis_string(self) -> String {
        format!("{:.3}", self.jiff())
    }

    /// Canonical form with microseconds: `2031-02-03T04:05:06.789012Z`.
    pub fn to_micros_string(self) -> String {
        format!("{:.6}", self.jiff())
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whole seconds are cut, not rounded: an answer never names an instant that has not come yet.
        let second = self.0.div_euclid(1_000_000);
        let instant = Self(second.saturating_mul(1_000_000)).jiff();
        write!(formatter, "{instant:.0}")
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
    fn text_without_a_zone_is_refused() {
        for bad in ["", "2031-02-03", "2031-02-03T04:05:06", "yesterday"] {
            assert!(Timestamp::parse(bad).is_err(), "{bad:?} parsed");
        }
    }
}
