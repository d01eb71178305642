//! Strings that say by a tag what they are: `~t` an instant (RFC 3339), `~f` a decimal, `~n` an integer of any size, `~~` a
//! text that begins with a tilde. Names of members have no tags.

use std::borrow::Cow;

use selvedge_json::{Malformed, Scalar, Scanner, literal, unescape};
use serde_json::Value;

/// What a string stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagged<'a> {
    Text(&'a str),
    /// Microseconds since 1970, and the text.
    Instant(i64, &'a str),
    Decimal(&'a str),
    Integer(&'a str),
}

impl<'a> Tagged<'a> {
    /// A string without a tag is text, and so is one whose tag does not fit.
    pub(super) fn of(text: &'a str) -> Self {
        let Some(rest) = text.strip_prefix('~') else {
            return Tagged::Text(text);
        };
        let tagged = match rest.as_bytes().first() {
            Some(b'~') => Some(Tagged::Text(rest)),
            Some(b't') => literal::instant(&rest[1..]).map(|at| Tagged::Instant(at, &rest[1..])),
            Some(b'f') => number(&rest[1..]).map(|_| Tagged::Decimal(&rest[1..])),
            Some(b'n') => number(&rest[1..])
                .filter(|integer| *integer)
                .map(|_| Tagged::Integer(&rest[1..])),
            _ => None,
        };
        tagged.unwrap_or(Tagged::Text(text))
    }
}

/// Whether a JSON number is an integer; `None` for what is no JSON number.
fn number(text: &str) -> Option<bool> {
    let mut scanner = Scanner::new(text);
    match scanner.scalar() {
        Ok(Scalar::Number(number)) if number.text.len() == text.len() => Some(number.integer),
        _ => None,
    }
}

/// JSON with tags as JSON without: instants and texts are strings, decimals and integers numbers. Text that is not
/// well-formed stays as it is.
pub(super) fn plain(json: &str) -> Cow<'_, str> {
    if !json.contains("\"~") && !json.contains('\\') {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    let mut scanner = Scanner::new(json);
    match write(&mut scanner, &mut text).and_then(|()| scanner.end()) {
        Ok(()) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(json),
    }
}

fn write(scanner: &mut Scanner<'_>, text: &mut String) -> Result<(), Malformed> {
    // Lists that are open, by the byte that closes them: whoever refuses what is nested too deeply shows it as well.
    let mut open: Vec<u8> = Vec::new();
    let mut first = true;
    loop {
        if let Some(close) = open.last().copied() {
            if !scanner.another(first, close)? {
                text.push(char::from(close));
                open.pop();
                first = false;
                if open.is_empty() {
                    return Ok(());
                }
                continue;
            }
            if !first {
                text.push(',');
            }
            if close == b'}' {
                let name = scanner.string()?;
                scanner.expect(b':', "a colon was expected")?;
                for piece in ["\"", name.text, "\":"] {
                    text.push_str(piece);
                }
            }
        }
        first = false;
        match scanner.peek() {
            byte @ (b'{' | b'[') => {
                scanner.skip_byte();
                text.push(char::from(byte));
                // Both closing bytes stand two behind the opening ones.
                open.push(byte + 2);
                first = true;
                continue;
            }
            b'"' => write_string(scanner, text)?,
            _ => scanner.copy_value(0, text)?,
        }
        if open.is_empty() {
            return Ok(());
        }
    }
}

fn write_string(scanner: &mut Scanner<'_>, text: &mut String) -> Result<(), Malformed> {
    let raw = scanner.string()?;
    // Half of a surrogate pair has no characters; the string shows it as it came.
    let characters = unescape(raw).unwrap_or(Cow::Borrowed(""));
    match Tagged::of(&characters) {
        Tagged::Decimal(number) | Tagged::Integer(number) => text.push_str(number),
        Tagged::Instant(_, instant) => text.push_str(&Value::from(instant).to_string()),
        Tagged::Text(plain) if plain.len() < characters.len() => {
            text.push_str(&Value::from(plain).to_string());
        }
        Tagged::Text(_) => {
            for piece in ["\"", raw.text, "\""] {
                text.push_str(piece);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_texts() {
        for (text, expected) in [
            ("", Tagged::Text("")),
            ("a~t", Tagged::Text("a~t")),
            ("~~", Tagged::Text("~")),
            ("~~t2024", Tagged::Text("~t2024")),
            (
                "~t1970-01-01T00:00:01.000000Z",
                Tagged::Instant(1_000_000, "1970-01-01T00:00:01.000000Z"),
            ),
            ("~f1.50", Tagged::Decimal("1.50")),
            ("~f-1E+3", Tagged::Decimal("-1E+3")),
            ("~n-12", Tagged::Integer("-12")),
            ("~n1.5", Tagged::Text("~n1.5")),
            ("~fNaN", Tagged::Text("~fNaN")),
            ("~tsoon", Tagged::Text("~tsoon")),
            ("~ü", Tagged::Text("~ü")),
            ("~", Tagged::Text("~")),
        ] {
            assert_eq!(Tagged::of(text), expected, "{text}");
        }
    }

    #[test]
    fn plain_json_shows_values_without_tags() {
        for (json, expected) in [
            (r#"{"a": "x" }"#, r#"{"a": "x" }"#),
            (
                r#" {"~tx": "~~t", "a\"": ["~f1.50", {"b": "~n99999999999999999999"}, [], {}], "c": "~t2024-01-01T00:00:00Z"} "#,
                r#"{"~tx":"~t","a\"":[1.50,{"b":99999999999999999999},[],{}],"c":"2024-01-01T00:00:00Z"}"#,
            ),
            (
                r#"["\u007e~\n", "\ud800", "\u007efx"]"#,
                r#"["~\n","\ud800","\u007efx"]"#,
            ),
            (r#""~~""#, r#""~""#),
            (r#"["~~","#, r#"["~~","#),
        ] {
            assert_eq!(plain(json), expected);
        }
        let deep = format!("{}\"~~\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(plain(&deep).len(), deep.len() - 1);
    }
}
