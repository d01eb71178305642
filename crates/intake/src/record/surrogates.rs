//! Halves of surrogate pairs, which are escapes of JSON but no characters.

use bytes::{Bytes, BytesMut};

/// Writes `\ufffd` over each half of a surrogate pair that stands alone. Both are six bytes, so nothing moves, and the body is
/// copied only if somebody else holds it.
pub(crate) fn mend_surrogates(body: Bytes) -> Bytes {
    let mut body = body
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    let mut at = 0;
    while let Some(offset) = body[at..].iter().position(|byte| *byte == b'\\') {
        at += offset;
        match code_unit(&body[at..]) {
            Some(0xd800..=0xdbff)
                if matches!(code_unit(&body[at + 6..]), Some(0xdc00..=0xdfff)) =>
            {
                at += 12;
            }
            Some(0xd800..=0xdfff) => {
                body[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            // A backslash that ends the text escapes nothing.
            _ => at = body.len().min(at + 2),
        }
    }
    body.freeze()
}

/// The code unit of the escape that begins here, if it is one of `\u`.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| {
        Some(unit * 16 + char::from(*digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_halves_that_stand_alone_are_replaced() {
        for (text, expected) in [
            (r#"["\ud800"]"#, r#"["\ufffd"]"#),
            (r#"["\udc00\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"["\ud800\ud800\uDC00x"]"#, r#"["\ufffd\ud800\uDC00x"]"#),
            (r#"["\\ud800 \\\ud800"]"#, r#"["\\ud800 \\\ufffd"]"#),
            (r#"["\ud83dA \u00e4"]"#, r#"["\ufffdA \u00e4"]"#),
            (r#"["\ud8"#, r#"["\ud8"#),
            (r"\", r"\"),
        ] {
            assert_eq!(
                mend_surrogates(Bytes::from_static(text.as_bytes())),
                expected
            );
        }
    }
}
