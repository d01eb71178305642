//! `_sdc_sequence`: strictly ascending per source, at the scale of nanoseconds since 1970 (19 digits).

use selvedge_types::Timestamp;

/// Hands out ascending numbers; never below the present in nanoseconds, never below what was handed out before.
#[derive(Debug)]
pub(crate) struct Sequence {
    last: i64,
}

impl Sequence {
    /// Goes on after `last`, the greatest sequence known from earlier runs.
    pub(crate) fn after(last: i64) -> Self {
        Self { last }
    }

    /// Another run has handed out `last`.
    pub(crate) fn at_least(&mut self, last: i64) {
        self.last = self.last.max(last);
    }

    /// Reserves `count` consecutive numbers and returns the first.
    pub(crate) fn reserve(&mut self, count: usize, now: Timestamp) -> i64 {
        let first = self
            .last
            .saturating_add(1)
            .max(now.as_micros().saturating_mul(1_000));
        self.last = first.saturating_add(i64::try_from(count).unwrap_or(i64::MAX).max(1) - 1);
        first
    }

    /// The greatest number handed out.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_ascend_when_the_clock_stands_still_or_runs_back() {
        let noon = Timestamp::parse("2031-01-01T12:00:00Z").unwrap();
        let mut sequence = Sequence::after(0);
        let first = sequence.reserve(10, noon);
        assert_eq!(first, noon.as_micros() * 1_000);
        assert_eq!(sequence.reserve(1, noon), first + 10);
        assert_eq!(sequence.reserve(1, noon.plus_seconds(-3_600)), first + 11);
        assert_eq!(
            Sequence::after(sequence.last()).reserve(1, noon),
            first + 12
        );
    }
}
