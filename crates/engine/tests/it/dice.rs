//! Deterministic dice, so that a life can be lived again from its number.

#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// `seed` must not be 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The dice of one life of many.
    pub(crate) fn of_life(life: u64) -> Self {
        Self::new(0x9e37_79b9_7f4a_7c15 ^ (life << 17))
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
