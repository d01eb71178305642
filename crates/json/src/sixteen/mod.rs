//! Sixteen bytes of text at a time.
//!
//! What is found in them is a bit for each byte, the first byte's lowest. With the vectors that every x86-64 and aarch64 has, this
//! takes as long as looking at one byte; elsewhere it is done with words of 64 bits.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod vector;
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod words;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use vector::Sixteen;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use words::Sixteen;

/// Bytes that are looked at together.
pub(crate) const LEN: usize = 16;

/// Bits that stand for no byte of the sixteen are set, as is that of the first place behind the text.
const BEHIND: u32 = !0 << LEN;

/// What `find` finds in the sixteen bytes from `at` on; where the text ends before, the place behind it counts as found. Bits
/// above the sixteenth are set.
///
/// `find` has to find zeros.
#[inline(always)]
pub(crate) fn from(bytes: &[u8], at: usize, find: impl Fn(Sixteen) -> u32) -> u32 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk) {
        Some(sixteen) => find(Sixteen::new(*sixteen)) | BEHIND,
        None => near_end(bytes, at, find),
    }
}

/// The same, where fewer than sixteen bytes are left.
#[inline(never)]
fn near_end(bytes: &[u8], at: usize, find: impl Fn(Sixteen) -> u32) -> u32 {
    match bytes.last_chunk() {
        // What stands before is looked at again.
        Some(sixteen) => {
            let found = find(Sixteen::new(*sixteen)) | BEHIND;
            let before = (at + LEN).saturating_sub(bytes.len()).min(LEN);
            found >> before | BEHIND
        }
        None => {
            let mut sixteen = [0; LEN];
            let rest = bytes.get(at..).unwrap_or_default();
            sixteen[..rest.len()].copy_from_slice(rest);
            find(Sixteen::new(sixteen)) | BEHIND
        }
    }
}

/// Index of the first byte from `at` on that `find` finds; the length of the text if there is none.
#[inline(always)]
pub(crate) fn first(bytes: &[u8], at: usize, find: impl Fn(Sixteen) -> u32 + Copy) -> usize {
    let found = from(bytes, at, find).trailing_zeros() as usize;
    match found < LEN {
        true => at + found,
        false => first_beyond(bytes, at + LEN, find),
    }
}

/// The same for what is longer than most.
#[inline(never)]
fn first_beyond(bytes: &[u8], mut at: usize, find: impl Fn(Sixteen) -> u32 + Copy) -> usize {
    loop {
        let found = from(bytes, at, find).trailing_zeros() as usize;
        if found < LEN {
            return at + found;
        }
        at += LEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both kinds find, which has to be the same, first byte lowest.
    fn found(
        sixteen: [u8; LEN],
        vector: impl Fn(Sixteen) -> u32,
        words: impl Fn(words::Sixteen) -> u32,
    ) -> u32 {
        let found = vector(Sixteen::new(sixteen));
        assert_eq!(found, words(words::Sixteen::new(sixteen)), "{sixteen:?}");
        found
    }

    #[test]
    fn every_byte_is_told_apart_at_every_place() {
        for place in 0..LEN {
            for byte in 0..=255_u8 {
                for others in [b'a', b'0', b'9', b' ', b'"', 0, 0x1f, 0x80, 0xff] {
                    let mut sixteen = [others; LEN];
                    sixteen[place] = byte;
                    let expected = |kind: fn(u8) -> bool| {
                        let numbered = sixteen.iter().zip(0..);
                        numbered.fold(0, |bits, (byte, place)| {
                            bits | u32::from(kind(*byte)) << place
                        })
                    };
                    assert_eq!(
                        found(sixteen, Sixteen::not_plain, words::Sixteen::not_plain),
                        expected(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)),
                    );
                    assert_eq!(
                        found(sixteen, Sixteen::not_digits, words::Sixteen::not_digits),
                        expected(|byte| !byte.is_ascii_digit()),
                    );
                    assert_eq!(
                        found(sixteen, Sixteen::not_blank, words::Sixteen::not_blank),
                        expected(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')),
                    );
                    assert_eq!(
                        found(sixteen, |it| it.equal(b'{'), |it| it.equal(b'{')),
                        expected(|byte| byte == b'{'),
                    );
                    let other = [b'9'; LEN];
                    assert_eq!(
                        found(
                            sixteen,
                            |it| it.equals(Sixteen::new(other)),
                            |it| it.equals(words::Sixteen::new(other))
                        ),
                        expected(|byte| byte == b'9'),
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_is_found_at_every_place_of_a_text_of_every_length() {
        for length in 0..70 {
            for at in 0..=length {
                let plain = vec![b'a'; length];
                assert_eq!(first(&plain, at, Sixteen::not_plain), length);
                for place in 0..length {
                    let mut text = plain.clone();
                    text[place] = b'"';
                    let expected = if place < at { length } else { place };
                    assert_eq!(
                        first(&text, at, Sixteen::not_plain),
                        expected,
                        "{place} of {length} from {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_stands_behind_the_end_counts_as_found() {
        for length in 0..40 {
            let text = vec![b'7'; length];
            for at in 0..=length {
                let left = length - at;
                let found = from(&text, at, Sixteen::not_digits);
                assert_eq!(
                    found.trailing_zeros() as usize,
                    left.min(LEN),
                    "{at} of {length}"
                );
                assert_eq!(found & BEHIND, BEHIND);
            }
        }
    }
}
