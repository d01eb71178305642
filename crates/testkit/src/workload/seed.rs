//! Randomness that can be replayed.

/// SplitMix64: the same numbers from the same seed, on every machine and for ever.
///
/// Sebastiano Vigna's public-domain generator, <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next_bits()) * bound as u128;
        (product >> 64) as usize
    }
}

/// Well-mixed bits that follow from the given numbers alone.
pub(super) fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |bits, number| {
        Seed::new(bits ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93)).next_bits()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_published_generator() {
        let mut seed = Seed::new(1_234_567);
        assert_eq!(seed.next_bits(), 6_457_827_717_110_365_317);
        assert_eq!(seed.next_bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut seed = Seed::new(1);
        let mut seen = [false; 7];
        for _ in 0..500 {
            seen[seed.below(7)] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(seed.below(0), 0);
    }
}
