//! Eight bytes of text at a time, in one word of 64 bits, first byte lowest.
//!
//! Each function sets the high bit of the bytes that are looked for, and no other bits.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Bytes that are greater than the byte at their place in `limits`, none of which has its high bit set.
#[inline]
pub(crate) const fn exceeding(word: u64, limits: u64) -> u64 {
    // The low seven bits of each byte are added to what carries into the high one just beyond the limit: no byte reaches the next.
    (((word & !HIGH) + (0x7f * ONES - limits)) | word) & HIGH
}

/// The number that eight digits stand for, each byte the value of one, the first byte the highest.
#[inline]
pub(crate) const fn eight_digits(word: u64) -> u64 {
    // Neighbours are put together: pairs, fours, all.
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod found {
    use super::{HIGH, ONES, exceeding};

    /// Bytes that do not stand for themselves in a JSON string: quotes, backslashes and control characters.
    #[inline]
    pub(crate) const fn not_plain(word: u64) -> u64 {
        let controls = !exceeding(word, ONES * 0x1f) & HIGH;
        equal(word, b'"') | equal(word, b'\\') | controls
    }

    /// Bytes that are no decimal digits.
    #[inline]
    pub(crate) const fn not_digits(word: u64) -> u64 {
        // Digits become 0 to 9, everything else more.
        exceeding(word ^ (ONES * b'0' as u64), ONES * 9)
    }

    /// Bytes that are this one.
    #[inline]
    pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
        !exceeding(word ^ (ONES * byte as u64), 0) & HIGH
    }

    /// The high bits of the bytes side by side, the first byte's lowest.
    #[inline]
    pub(crate) const fn high_bits(word: u64) -> u32 {
        // Each bit is moved to a place of its own in the highest byte.
        (((word & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    }
}
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use found::{equal, high_bits, not_digits, not_plain};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_a_limit_are_found_at_every_place() {
        for place in 0..8 {
            for byte in 0..=255_u8 {
                let mut eight = [5; 8];
                eight[place] = byte;
                let expected = match byte > 5 {
                    true => 0x80 << (8 * place),
                    false => 0,
                };
                let word = u64::from_le_bytes(eight);
                assert_eq!(exceeding(word, ONES * 5), expected, "{byte}");
            }
        }
    }

    #[test]
    fn eight_digits_are_a_number() {
        for number in [0, 1, 9, 10, 12_345_678, 87_654_321, 10_000_000, 99_999_999] {
            let text = format!("{number:08}");
            let digits: Vec<u8> = text.bytes().map(|digit| digit - b'0').collect();
            let word = u64::from_le_bytes(digits.try_into().unwrap());
            assert_eq!(eight_digits(word), number);
        }
    }
}
