//! JSON text into binary `jsonb`: a version byte and the text.
//!
//! `jsonb` cannot hold the character NUL nor half a surrogate pair, both of which JSON text can spell. The first is
//! dropped, as in plain text; a record with the second is rejected.

use super::BadValue;

const VERSION: u8 = 1;

pub(super) fn write(text: &str, out: &mut Vec<u8>) -> Result<(), BadValue> {
    out.push(VERSION);
    if !text.contains("\\u") {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let (taken, keep) = match unit(escape) {
            Some(0) => (6, false),
            Some(0xd800..=0xdbff) => match escape.get(6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => (12, true),
                _ => return Err(BadValue::Malformed),
            },
            Some(0xdc00..=0xdfff) => return Err(BadValue::Malformed),
            Some(_) => (6, true),
            None => (2, true),
        };
        let (taken, after) = escape.split_at_checked(taken).ok_or(BadValue::Malformed)?;
        if keep {
            out.extend_from_slice(taken.as_bytes());
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

/// The code unit of a text that begins with `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        let mut out = Vec::new();
        write(text, &mut out).ok()?;
        assert_eq!(out[0], VERSION);
        Some(String::from_utf8(out[1..].to_vec()).unwrap())
    }

    #[test]
    fn only_escapes_that_the_server_refuses_are_touched() {
        for (text, expected) in [
            (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
            (r#""a\u0000b""#, Some(r#""ab""#)),
            (r#""a\\u0000b""#, Some(r#""a\\u0000b""#)),
            (
                r#""\ud83d\ude00 \u00e9 \n""#,
                Some(r#""\ud83d\ude00 \u00e9 \n""#),
            ),
            (r#""\ud83d""#, None),
            (r#""\ude00""#, None),
            (r#""\ud83dx\ude00""#, None),
            ("\"\\u00é\"", Some("\"\\u00é\"")),
            ("\"\\é\\u0041", None),
        ] {
            assert_eq!(written(text).as_deref(), expected, "{text}");
        }
    }
}
