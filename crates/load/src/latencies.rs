//! How long answers took. Every answer is kept, so percentiles are exact.

use std::time::Duration;

/// Latencies in microseconds, in the order of size once [`Latencies::sort`] was called.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn sort(mut self) -> Self {
        self.0.sort_unstable();
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The latency that `per_mille` of the answers did not exceed; 0 without answers.
    pub(crate) fn percentile(&self, per_mille: usize) -> u32 {
        let rank = (self.0.len() * per_mille).div_ceil(1000).max(1);
        self.0.get(rank - 1).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let mut latencies = Latencies::default();
        for micros in (1..=100).rev() {
            latencies.add(Duration::from_micros(micros));
        }
        let latencies = latencies.sort();
        assert_eq!(latencies.len(), 100);
        for (per_mille, expected) in [(500, 50), (990, 99), (999, 100), (1000, 100), (0, 1)] {
            assert_eq!(latencies.percentile(per_mille), expected);
        }
        assert_eq!(Latencies::default().percentile(500), 0);
    }
}
