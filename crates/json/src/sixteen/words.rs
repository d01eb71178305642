//! Sixteen bytes in two words of 64 bits.

use crate::swar;

#[derive(Clone, Copy)]
pub(crate) struct Sixteen([u64; 2]);

impl Sixteen {
    #[inline]
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self([both as u64, (both >> 64) as u64])
    }

    #[inline]
    fn bits(self, find: impl Fn(u64) -> u64) -> u32 {
        let [low, high] = self.0.map(|word| swar::high_bits(find(word)));
        low | high << 8
    }

    /// Bytes that are the other's at their place.
    #[inline]
    pub(crate) fn equals(self, other: Self) -> u32 {
        let differences = [self.0[0] ^ other.0[0], self.0[1] ^ other.0[1]];
        Self(differences).equal(0)
    }

    /// Bytes that are this one.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> u32 {
        self.bits(|word| swar::equal(word, byte))
    }

    /// Bytes that do not stand for themselves in a JSON string: quotes, backslashes and control characters.
    #[inline]
    pub(crate) fn not_plain(self) -> u32 {
        self.bits(swar::not_plain)
    }

    /// Bytes that are no decimal digits.
    #[inline]
    pub(crate) fn not_digits(self) -> u32 {
        self.bits(swar::not_digits)
    }

    /// Bytes that are no white space of JSON.
    #[inline]
    pub(crate) fn not_blank(self) -> u32 {
        self.bits(|word| {
            let blanks = [b' ', b'\n', b'\r', b'\t'];
            let found = blanks.map(|blank| swar::equal(word, blank));
            !found.into_iter().fold(0, |all, one| all | one)
        })
    }
}
