//! How much a tap may write into a job's log.

use std::time::{Duration, Instant};

/// Seconds' worth of lines that a quiet tap has saved up.
const SAVED_SECONDS: u32 = 10;

/// Lets so many lines in a second through and so many bytes in all, and counts what it holds back.
pub(crate) struct Allowance {
    lines_per_second: u32,
    lines: f64,
    bytes: u64,
    refilled: Instant,
    held_back: u64,
}

impl Allowance {
    pub(crate) fn new(lines_per_second: u32, bytes: u64, now: Instant) -> Self {
        Self {
            lines_per_second,
            lines: f64::from(lines_per_second) * f64::from(SAVED_SECONDS),
            bytes,
            refilled: now,
            held_back: 0,
        }
    }

    /// Whether a line may pass.
    pub(crate) fn passes(&mut self, bytes: usize, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.refilled);
        self.refilled = now;
        let rate = f64::from(self.lines_per_second);
        let full = rate * f64::from(SAVED_SECONDS);
        self.lines = (self.lines + since.as_secs_f64() * rate).min(full);
        let bytes = bytes as u64;
        // After a flood lines come through again in whole seconds' worth, not one by one between the lost ones.
        let enough = if self.held_back > 0 {
            rate.max(1.0)
        } else {
            1.0
        };
        if self.lines < enough || self.bytes < bytes {
            self.held_back += 1;
            return false;
        }
        self.lines -= 1.0;
        self.bytes -= bytes;
        true
    }

    /// Whether the last lines did not pass.
    pub(crate) fn held_back(&self) -> bool {
        self.held_back > 0
    }

    /// How many lines were held back since this was asked last.
    pub(crate) fn take_held_back(&mut self) -> Option<u64> {
        let count = std::mem::take(&mut self.held_back);
        (count > 0).then_some(count)
    }

    /// When nothing is said for this long after a flood, its count is told.
    pub(crate) const TELL_AFTER: Duration = Duration::from_secs(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(allowance: &mut Allowance, lines: usize, now: Instant) -> usize {
        (0..lines).filter(|_| allowance.passes(10, now)).count()
    }

    #[test]
    fn a_burst_passes_and_a_flood_is_counted() {
        let start = Instant::now();
        let mut allowance = Allowance::new(5, 1 << 20, start);
        assert_eq!(passed(&mut allowance, 80, start), 50);
        // Half a second's worth is not worth interrupting the flood.
        let soon = start + Duration::from_millis(500);
        assert_eq!(passed(&mut allowance, 10, soon), 0);
        assert_eq!(allowance.take_held_back(), Some(40));
        assert_eq!(allowance.take_held_back(), None);
        let later = start + Duration::from_millis(1500);
        assert_eq!(passed(&mut allowance, 10, later), 7);
    }

    #[test]
    fn the_bytes_of_a_run_are_bounded() {
        let start = Instant::now();
        let mut allowance = Allowance::new(1000, 35, start);
        assert_eq!(passed(&mut allowance, 10, start), 3);
        assert_eq!(allowance.take_held_back(), Some(7));
        let later = start + Duration::from_secs(60);
        assert_eq!(passed(&mut allowance, 10, later), 0);
    }
}
