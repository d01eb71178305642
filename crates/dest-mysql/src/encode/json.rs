//! Whether the server will take a text as JSON. It would otherwise skip the row, and say so in a warning.

use serde::de::IgnoredAny;

/// Whether `text` is JSON of no more than `max_depth` objects and arrays in one another, without half a surrogate pair, which
/// JSON text can spell and the servers refuse.
pub(super) fn is_valid(text: &str, max_depth: usize) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
        && depth(text) <= max_depth
        && !(text.contains("\\u") && has_lone_surrogate(text))
}

/// Of text that is JSON.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn has_lone_surrogate(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        let taken = match unit(escape) {
            Some(0xd800..=0xdbff) => match escape.get(6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => 12,
                _ => return true,
            },
            Some(0xdc00..=0xdfff) => return true,
            Some(_) => 6,
            None => 2,
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    false
}

/// The code unit of a text that begins with `\u` and four hexadecimal digits.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_takes_is_valid() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (text, valid) in [
            (r#"{"a":[1,{"b":null}]}"#, true),
            (r#""[[[[[[[\"[[[[""#, true),
            ("{", false),
            ("", false),
            ("NaN", false),
            (r#""\ud83d\ude00 \u00e9""#, true),
            (r#""\\ud83d""#, true),
            (r#""\ud83d""#, false),
            (r#""\ude00""#, false),
            (&nested(5), true),
            (&nested(6), false),
        ] {
            assert_eq!(is_valid(text, 5), valid, "{text}");
        }
    }
}
