//! Eight bytes of text at a time, in one word of 64 bits, first byte lowest.
//!
//! Each function sets the high bit of bytes that are looked for. Of those only the first is to be relied on: a carry may set
//! bits behind it.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Bytes that do not stand for themselves in a JSON string: quotes, backslashes and control characters.
#[inline]
pub(crate) const fn not_plain(word: u64) -> u64 {
    let quotes = zeros(word ^ (ONES * b'"' as u64));
    let backslashes = zeros(word ^ (ONES * b'\\' as u64));
    let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    quotes | backslashes | controls
}

/// Bytes that are no decimal digits.
#[inline]
pub(crate) const fn not_digits(word: u64) -> u64 {
    // Digits become 0 to 9, everything else more.
    exceeding(word ^ (ONES * b'0' as u64), ONES * 9)
}

/// Bytes that are greater than the byte at their place in `limits`, none of which has its high bit set.
#[inline]
pub(crate) const fn exceeding(word: u64, limits: u64) -> u64 {
    // The low seven bits of each byte are added to what carries into the high one just beyond the limit: no byte reaches the next.
    (((word & !HIGH) + (0x7f * ONES - limits)) | word) & HIGH
}

const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Index of the first byte that was found.
    fn first(found: u64) -> Option<u32> {
        (found != 0).then(|| found.trailing_zeros() / 8)
    }

    #[test]
    fn every_byte_is_told_apart_at_every_place() {
        for place in 0..8_u32 {
            for byte in 0..=255_u8 {
                let with = |others: u8| {
                    let mut eight = [others; 8];
                    eight[place as usize] = byte;
                    u64::from_le_bytes(eight)
                };
                let plain = !matches!(byte, b'"' | b'\\' | 0..=0x1f);
                let expected = (!plain).then_some(place);
                assert_eq!(first(not_plain(with(b'a'))), expected, "{byte}");
                assert_eq!(first(not_plain(with(0xc3))), expected, "{byte}");
                let expected = (!byte.is_ascii_digit()).then_some(place);
                assert_eq!(first(not_digits(with(b'9'))), expected, "{byte}");
                assert_eq!(first(not_digits(with(b'0'))), expected, "{byte}");
                let expected = (byte > 5).then_some(place);
                assert_eq!(first(exceeding(with(5), ONES * 5)), expected, "{byte}");
            }
        }
    }
}
