//! Strings that stand for values: a tilde, the letter of a type, the value.

use std::borrow::Cow;

use selvedge_json::{Scalar, Scanner, literal};
use selvedge_types::Timestamp;

use super::TransitError;

/// A value without inner parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ground<'a> {
    /// Nil, and numbers that are none.
    Null,
    Boolean(bool),
    /// Digits, perhaps with a sign, as JSON writes integers.
    Integer(Cow<'a, str>),
    /// A JSON number with a fraction or an exponent.
    Double(Cow<'a, str>),
    /// A JSON number.
    Decimal(Cow<'a, str>),
    Instant(Timestamp),
    Text(Cow<'a, str>),
}

/// The years 0001 to 9999; other instants have no text that everybody reads.
const FIRST_INSTANT: i64 = -62_135_596_800_000_000;
const LAST_INSTANT: i64 = 253_402_300_799_999_999;

impl<'a> Ground<'a> {
    /// What a string that is neither a cache code nor a tag stands for.
    pub(super) fn of(wire: &'a str) -> Result<Self, TransitError> {
        let Some(tagged) = wire.strip_prefix('~') else {
            return Ok(Ground::Text(Cow::Borrowed(wire)));
        };
        let mut characters = tagged.chars();
        let Some(tag) = characters.next() else {
            return Ok(Ground::Text(Cow::Borrowed(wire)));
        };
        let value = characters.as_str();
        let ground = match tag {
            '~' | '^' | '`' => Some(Ground::Text(Cow::Borrowed(tagged))),
            ':' | '$' | 'r' | 'b' => Some(Ground::Text(Cow::Borrowed(value))),
            'c' => (!value.is_empty()).then_some(Ground::Text(Cow::Borrowed(value))),
            'u' => uuid(value),
            '_' => value.is_empty().then_some(Ground::Null),
            '?' => match value {
                "t" => Some(Ground::Boolean(true)),
                "f" => Some(Ground::Boolean(false)),
                _ => None,
            },
            'z' => matches!(value, "NaN" | "INF" | "-INF").then_some(Ground::Null),
            'i' | 'n' => integer(value).map(Ground::Integer),
            'd' => double(value),
            'f' => decimal(value),
            'm' => integer(value).and_then(|millis| Self::instant_of_millis(&millis)),
            't' => literal::instant(&with_long_year(value)).map(Self::instant),
            // A tag where none is looked for.
            '#' => return Err(TransitError::UnknownTag(shortened(value))),
            _ => return Err(TransitError::UnknownTag(tag.to_string())),
        };
        ground.ok_or_else(|| TransitError::BadValue(shortened(wire)))
    }

    fn instant(micros: i64) -> Self {
        match (FIRST_INSTANT..=LAST_INSTANT).contains(&micros) {
            true => Ground::Instant(Timestamp::from_micros(micros)),
            false => Ground::Null,
        }
    }

    /// `None` for what is no integer; one beyond 64 bits is beyond all calendars as well.
    fn instant_of_millis(millis: &str) -> Option<Self> {
        let micros = literal::integer(millis).and_then(|millis| millis.checked_mul(1_000));
        Some(micros.map_or(Ground::Null, Self::instant))
    }

    /// What it is called where only texts can stand.
    pub(super) fn into_text(self) -> Cow<'a, str> {
        match self {
            Ground::Null => Cow::Borrowed("null"),
            Ground::Boolean(true) => Cow::Borrowed("true"),
            Ground::Boolean(false) => Cow::Borrowed("false"),
            Ground::Integer(text)
            | Ground::Double(text)
            | Ground::Decimal(text)
            | Ground::Text(text) => text,
            Ground::Instant(instant) => Cow::Owned(instant.to_micros_string()),
        }
    }
}

/// The verbose form of some writers has no zeros before years of fewer than four digits.
fn with_long_year(text: &str) -> Cow<'_, str> {
    match text.find('-') {
        Some(digits @ 1..=3) => Cow::Owned(format!("{}{text}", &"000"[digits - 1..])),
        _ => Cow::Borrowed(text),
    }
}

/// A long text by its beginning.
pub(super) fn shortened(wire: &str) -> String {
    const CHARACTERS: usize = 60;
    match wire.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &wire[..end]),
        None => wire.to_owned(),
    }
}

/// Any number of digits, as JSON writes them.
fn integer(text: &str) -> Option<Cow<'_, str>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let canonical = match digits.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    };
    Some(match negative && canonical != "0" {
        true if canonical.len() + 1 == text.len() => Cow::Borrowed(text),
        true => Cow::Owned(format!("-{canonical}")),
        false => Cow::Borrowed(canonical),
    })
}

fn double(text: &str) -> Option<Ground<'_>> {
    match json_number(text) {
        Some(true) => Some(Ground::Double(Cow::Owned(format!("{text}.0")))),
        Some(false) => Some(Ground::Double(Cow::Borrowed(text))),
        None => None,
    }
}

/// JSON's numbers stay as they are. Other spellings (`+7`, `.5`, `007`) are taken without an exponent only: digits that the
/// exponent stands for would have to be written out.
fn decimal(text: &str) -> Option<Ground<'_>> {
    if json_number(text).is_some() {
        return Some(Ground::Decimal(Cow::Borrowed(text)));
    }
    match text.contains(['e', 'E']) {
        true => None,
        false => literal::decimal(text).map(Ground::Decimal),
    }
}

/// Whether a JSON number is an integer; `None` for what is no JSON number.
fn json_number(text: &str) -> Option<bool> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let mut scanner = Scanner::new(text);
    match scanner.scalar() {
        Ok(Scalar::Number(number)) if number.text.len() == text.len() => Some(number.integer),
        _ => None,
    }
}

/// In lower case, with its four hyphens.
fn uuid(text: &str) -> Option<Ground<'_>> {
    let well_formed = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    let canonical = match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    };
    well_formed.then_some(Ground::Text(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Ground<'_> {
        Ground::Text(text.into())
    }

    fn instant(text: &str) -> Ground<'static> {
        Ground::Instant(Timestamp::parse(text).unwrap())
    }

    #[test]
    fn the_letter_says_what_the_rest_is() {
        for (wire, expected) in [
            ("plain", text("plain")),
            ("", text("")),
            ("~", text("~")),
            ("~~x", text("~x")),
            ("~^x", text("^x")),
            ("~`x", text("`x")),
            ("~:key/word", text("key/word")),
            ("~$symbol", text("symbol")),
            ("~rhttp://x", text("http://x")),
            ("~cä", text("ä")),
            ("~c~", text("~")),
            ("~baGk=", text("aGk=")),
            (
                "~uF81D4FAE-7dec-11d0-a765-00a0c91e6bf6",
                text("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            ),
            ("~_", Ground::Null),
            ("~?t", Ground::Boolean(true)),
            ("~?f", Ground::Boolean(false)),
            ("~zNaN", Ground::Null),
            ("~zINF", Ground::Null),
            ("~z-INF", Ground::Null),
            ("~i123", Ground::Integer("123".into())),
            ("~i-007", Ground::Integer("-7".into())),
            ("~i-7", Ground::Integer("-7".into())),
            ("~n-0", Ground::Integer("0".into())),
            (
                "~n123456789012345678901234567890",
                Ground::Integer("123456789012345678901234567890".into()),
            ),
            ("~d1.5", Ground::Double("1.5".into())),
            ("~d5", Ground::Double("5.0".into())),
            ("~d1E3", Ground::Double("1E3".into())),
            ("~f1.50", Ground::Decimal("1.50".into())),
            ("~f1E+3", Ground::Decimal("1E+3".into())),
            ("~f+.5", Ground::Decimal("0.5".into())),
            ("~m1700000000000", instant("2023-11-14T22:13:20Z")),
            ("~m-1", instant("1969-12-31T23:59:59.999Z")),
            ("~m99999999999999999999", Ground::Null),
            ("~m253402300800000", Ground::Null),
            (
                "~t2023-11-14T22:13:20.000Z",
                instant("2023-11-14T22:13:20Z"),
            ),
            (
                "~t2023-11-14T22:13:20.5+01:00",
                instant("2023-11-14T21:13:20.5Z"),
            ),
            (
                "~t9999-12-31T23:59:59.999Z",
                instant("9999-12-31T23:59:59.999Z"),
            ),
            ("~t0000-12-31T00:00:00Z", Ground::Null),
            ("~t33-04-03T00:00:00Z", instant("0033-04-03T00:00:00Z")),
        ] {
            assert_eq!(Ground::of(wire).unwrap(), expected, "{wire}");
        }
    }

    #[test]
    fn what_a_letter_does_not_allow_is_told_with_the_value() {
        for wire in [
            "~i",
            "~i1.5",
            "~n1e3",
            "~dNaN",
            "~d",
            "~fabc",
            "~f1.5M",
            "~m",
            "~mnow",
            "~tsoon",
            "~?x",
            "~_x",
            "~z",
            "~zInfinity",
            "~u",
            "~uf81d4fae7dec11d0a76500a0c91e6bf6",
            "~c",
            "~f+1e9",
        ] {
            assert_eq!(
                Ground::of(wire),
                Err(TransitError::BadValue(wire.to_owned())),
                "{wire}"
            );
        }
        for (wire, tag) in [("~x1", "x"), ("~ä", "ä"), ("~ ", " "), ("~#list", "list")] {
            assert_eq!(
                Ground::of(wire),
                Err(TransitError::UnknownTag(tag.to_owned()))
            );
        }
    }
}
