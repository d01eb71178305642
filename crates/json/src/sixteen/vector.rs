//! Sixteen bytes in a vector.

use wide::u8x16;

#[derive(Clone, Copy)]
pub(crate) struct Sixteen(u8x16);

impl Sixteen {
    #[inline(always)]
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(u8x16::new(bytes))
    }

    #[inline(always)]
    fn is(self, byte: u8) -> u8x16 {
        self.0.simd_eq(u8x16::splat(byte))
    }

    #[inline(always)]
    fn is_at_most(self, byte: u8) -> u8x16 {
        self.0.min(u8x16::splat(byte)).simd_eq(self.0)
    }

    /// Bytes that are the other's at their place.
    #[inline(always)]
    pub(crate) fn equals(self, other: Self) -> u32 {
        self.0.simd_eq(other.0).to_bitmask()
    }

    /// Bytes that are this one.
    #[inline(always)]
    pub(crate) fn equal(self, byte: u8) -> u32 {
        self.is(byte).to_bitmask()
    }

    /// Bytes that do not stand for themselves in a JSON string: quotes, backslashes and control characters.
    #[inline(always)]
    pub(crate) fn not_plain(self) -> u32 {
        (self.is(b'"') | self.is(b'\\') | self.is_at_most(0x1f)).to_bitmask()
    }

    /// Bytes that are no decimal digits.
    #[inline(always)]
    pub(crate) fn not_digits(self) -> u32 {
        // Digits become 0 to 9, everything else more.
        let digits = Self(self.0 ^ u8x16::splat(b'0')).is_at_most(9);
        digits.to_bitmask() ^ 0xffff
    }

    /// Bytes that are no white space of JSON.
    #[inline(always)]
    pub(crate) fn not_blank(self) -> u32 {
        let blank = self.is(b' ') | self.is(b'\n') | self.is(b'\r') | self.is(b'\t');
        blank.to_bitmask() ^ 0xffff
    }
}
