//! Bytes that are to be text.

/// The text that bytes are.
///
/// # Errors
/// They are no UTF-8.
#[inline]
pub fn utf8(bytes: &[u8]) -> Result<&str, std::str::Utf8Error> {
    // Several times as quick as the standard library where not all is ASCII; only that says where it goes wrong.
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => std::str::from_utf8(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_the_standard_library_takes_for_it() {
        for length in 0..200 {
            let text: String = "aä東😀".chars().cycle().take(length).collect();
            let bytes = text.as_bytes();
            for end in bytes.len().saturating_sub(4)..=bytes.len() {
                assert_eq!(utf8(&bytes[..end]), std::str::from_utf8(&bytes[..end]));
            }
            for place in (0..bytes.len()).step_by(7) {
                for byte in [0x80, 0xc0, 0xed, 0xf5, 0xff] {
                    let mut damaged = bytes.to_vec();
                    damaged[place] = byte;
                    assert_eq!(utf8(&damaged), std::str::from_utf8(&damaged));
                }
            }
        }
    }
}
