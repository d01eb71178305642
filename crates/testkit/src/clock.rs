//! Clocks for tests.

use std::sync::atomic::{AtomicI64, Ordering};

use selvedge_types::{Clock, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// Starts at `text`, an ISO 8601 timestamp.
    pub fn at(text: &str) -> Self {
        let start = Timestamp::parse(text).expect("a test names a valid timestamp");
        Self(AtomicI64::new(start.as_micros()))
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Moves to `text`, an ISO 8601 timestamp.
    pub fn advance_to(&self, text: &str) {
        let instant = Timestamp::parse(text).expect("a test names a valid timestamp");
        let before = self.0.swap(instant.as_micros(), Ordering::SeqCst);
        assert!(before <= instant.as_micros(), "clocks do not run backwards");
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
