//! Scalars of JSON text as values of columns.

use std::borrow::Cow;

use crate::swar;

/// More digits than any destination's decimals have.
const MAX_DECIMAL_DIGITS: usize = 150_000;

/// Integers of so many digits have 64 bits or fewer.
pub const SURE_DIGITS: usize = 18;

/// An integer literal; `None` beyond 64 bits. `-0` is 0.
#[inline]
pub fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > SURE_DIGITS {
        return text.parse().ok();
    }
    let value = number(digits) as i64;
    Some(if negative { -value } else { value })
}

/// The number that up to nineteen digits stand for.
#[inline]
fn number(digits: &[u8]) -> u64 {
    let (rest, eights) = digits.as_rchunks::<8>();
    eights.iter().fold(few_digits(rest), |value, eight| {
        let word = u64::from_le_bytes(*eight) & VALUES;
        value * 100_000_000 + swar::eight_digits(word)
    })
}

/// Of the digits, without what makes them characters.
const VALUES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

/// The number that fewer than eight digits stand for.
#[inline]
fn few_digits(digits: &[u8]) -> u64 {
    // The digits, first byte lowest; what is read twice falls on itself.
    let word = match (digits.first_chunk::<4>(), digits.last_chunk::<4>(), digits) {
        (Some(first), Some(last), _) => {
            let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
            first | last << (8 * (digits.len() - 4))
        }
        (.., [one]) => u64::from(*one),
        (.., [first, .., last]) => {
            let middle = u64::from(digits[digits.len() / 2]);
            let last = u64::from(*last) << (8 * (digits.len() - 1));
            u64::from(*first) | middle << (8 * (digits.len() / 2)) | last
        }
        _ => return 0,
    };
    // Zeros in front.
    swar::eight_digits((word & VALUES) << (64 - 8 * digits.len()))
}

/// The double that is nearest to a number literal; not finite beyond its range.
pub fn double(text: &str) -> Option<f64> {
    few_places(text.as_bytes()).or_else(|| text.parse().ok())
}

/// Digits that a double holds whatever they are.
const DOUBLE_DIGITS: usize = 15;
/// Powers of ten that are doubles.
const POWERS: [f64; DOUBLE_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// The same for few digits without an exponent: those without their point and the power of ten are exact, so what one is by the
/// other is rounded once.
#[inline]
fn few_places(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (mut value, mut point) = (0_u64, None);
    if !(1..=DOUBLE_DIGITS).contains(&digits.len()) {
        return None;
    }
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte & 0xf),
            b'.' if point.is_none() && place > 0 => point = Some(place),
            _ => return None,
        }
    }
    let places = match point {
        Some(point) => digits.len() - 1 - point,
        None => 0,
    };
    let value = value as f64 / POWERS[places];
    Some(if negative { -value } else { value })
}

/// A decimal literal in canonical form: no exponent, no sign of zero, no superfluous zeros in front; those at the end stay.
/// `None` when it is none, or has more digits than any destination holds.
pub fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_value(exponent)?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let is_zero = mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let plain = whole.len() == 1 || (whole.len() > 1 && !whole.starts_with('0'));
    let dot_fits = mantissa.contains('.') != fraction.is_empty();
    if exponent == 0 && plain && dot_fits && !text.starts_with('+') && !(negative && is_zero) {
        let unsigned = mantissa.len() == digits.len();
        if unsigned && digits.len() <= MAX_DECIMAL_DIGITS {
            return Some(Cow::Borrowed(text));
        }
    }
    shifted(whole, fraction, exponent, negative && !is_zero).map(Cow::Owned)
}

fn exponent_value(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The number with its point moved `exponent` digits to the right.
fn shifted(whole: &str, fraction: &str, exponent: i64, negative: bool) -> Option<String> {
    let digits = whole.len() + fraction.len();
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let length = point.unsigned_abs().max(digits as u64) + digits as u64;
    if length > 2 * MAX_DECIMAL_DIGITS as u64 {
        return None;
    }
    let all = [whole, fraction].concat();
    let mut text = String::with_capacity(digits + 3);
    if negative {
        text.push('-');
    }
    let point = match usize::try_from(point) {
        Ok(point) => point,
        Err(_) => {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', usize::try_from(-point).ok()?));
            text.push_str(&all);
            return Some(text);
        }
    };
    let (before, after) = all.split_at(point.min(digits));
    let zeros = point.saturating_sub(digits);
    let before = before.trim_start_matches('0');
    match before.is_empty() {
        true => text.push('0'),
        false => {
            text.push_str(before);
            text.extend(std::iter::repeat_n('0', zeros));
        }
    }
    if !after.is_empty() {
        text.push('.');
        text.push_str(after);
    }
    Some(text)
}

/// Whether a text that stands for a decimal says that it is none: such values become NULL.
pub fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    ["nan", "snan", "inf", "infinity"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word))
}

/// An RFC 3339 instant in microseconds since 1970, in UTC; finer digits are cut. Also with a blank for the `T`, with
/// offsets like `+0000` and `+00`, and without any, which is taken as UTC; a date alone is its midnight. A leap second is the
/// second that follows it.
pub fn instant(text: &str) -> Option<i64> {
    let Instant {
        date: [year, month, day],
        seconds,
        micros,
    } = read_instant(text)?;
    let seconds = days_since_epoch(year, month, day) * 86_400 + seconds;
    Some(seconds * 1_000_000 + micros)
}

/// Whether a text is one of which [`instant`] says when that was.
pub fn is_instant(text: &str) -> bool {
    read_instant(text).is_some()
}

struct Instant {
    /// Year, month and day.
    date: [i64; 3],
    /// Since midnight of that day in UTC; may be of a neighbouring day.
    seconds: i64,
    micros: i64,
}

#[inline(always)]
fn read_instant(text: &str) -> Option<Instant> {
    let mut midnight = *b"          T00:00:00Z";
    let bytes = match text.len() {
        10 => {
            midnight[..10].copy_from_slice(text.as_bytes());
            midnight.as_slice()
        }
        _ => text.as_bytes(),
    };
    let [year, month, day, hour, minute, second] = date_and_time(bytes.first_chunk()?)?;
    if !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0_i64, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + i64::from(digit - b'0'))
        })
    };
    let mut at = 19;
    let mut micros = 0;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        at += 1;
        let digits = bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        micros = number(at, at + digits.min(6))? * 10_i64.pow(6 - digits.min(6) as u32);
        at += digits;
    }
    let offset_minutes = match &bytes[at..] {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let at = at + 1;
            let (hours, minutes) = match rest {
                [_, _] => (number(at, at + 2)?, 0),
                [_, _, _, _] => (number(at, at + 2)?, number(at + 2, at + 4)?),
                [_, _, b':', _, _] => (number(at, at + 2)?, number(at + 3, at + 5)?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some(Instant {
        date: [year, month, day],
        seconds: hour * 3_600 + (minute - offset_minutes) * 60 + second,
        micros,
    })
}

/// Year, month, day, hour, minute and second of `YYYY-MM-DDThh:mm:ss`, whose `T` may be small or a blank. Only that they are digits
/// is checked.
fn date_and_time(bytes: &[u8; 19]) -> Option<[i64; 6]> {
    const DATE: u64 = u64::from_le_bytes(*b"0000-00-");
    const DATE_LIMITS: u64 = u64::from_le_bytes([9, 9, 9, 9, 0, 9, 9, 0]);
    const TIME: u64 = u64::from_le_bytes(*b"00\x0000:00");
    const TIME_LIMITS: u64 = u64::from_le_bytes([9, 9, 255 >> 1, 9, 9, 0, 9, 9]);
    let (date, rest) = bytes.split_first_chunk()?;
    let (time, seconds) = rest.split_first_chunk()?;
    // Digits become their values, separators 0.
    let date = u64::from_le_bytes(*date) ^ DATE;
    let time = u64::from_le_bytes(*time) ^ TIME;
    let [b':', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = seconds else {
        return None;
    };
    let wrong = swar::exceeding(date, DATE_LIMITS) | swar::exceeding(time, TIME_LIMITS);
    if wrong != 0 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let pair = |word: u64, at: usize| {
        let [tens, ones] = [at, at + 1].map(|at| (word >> (8 * at)) as i64 & 0xf);
        tens * 10 + ones
    };
    Some([
        pair(date, 0) * 100 + pair(date, 2),
        pair(date, 5),
        pair(time, 0),
        pair(time, 3),
        pair(time, 6),
        i64::from(tens & 0xf) * 10 + i64::from(ones & 0xf),
    ])
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that leap days come last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use selvedge_types::Timestamp;

    use super::*;

    #[test]
    fn integers_are_exact_or_refused() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-17", Some(-17)),
            ("1", Some(1)),
            ("12", Some(12)),
            ("123", Some(123)),
            ("1234", Some(1_234)),
            ("12345", Some(12_345)),
            ("123456", Some(123_456)),
            ("1234567", Some(1_234_567)),
            ("12345678", Some(12_345_678)),
            ("123456789", Some(123_456_789)),
            ("1234567890", Some(1_234_567_890)),
            ("123456789012345", Some(123_456_789_012_345)),
            ("1234567890123456", Some(1_234_567_890_123_456)),
            ("12345678901234567", Some(12_345_678_901_234_567)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("123456789012345678901234567890", None),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn doubles_are_those_of_the_library() {
        let mut odd = 1_u64;
        let mut next = |below: u64| {
            odd = odd.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (odd >> 33) % below
        };
        let mut texts: Vec<String> = [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "1e5",
            "-1.5E-7",
            "1e400",
            "-1e-400",
            "0.1",
            "123.5",
            "999999999999999",
            "99999999999999.9",
            "0.00000000000001",
            "12345678901234567890.5",
        ]
        .map(str::to_owned)
        .into();
        for _ in 0..20_000 {
            let [digits, more] =
                [next(9), next(9)].map(|length| next(10_u64.pow(length as u32 + 1)));
            let sign = if next(2) == 0 { "" } else { "-" };
            texts.push(format!("{sign}{digits}.{more}"));
        }
        for text in texts {
            let expected: f64 = text.parse().unwrap();
            let found = double(&text).map(f64::to_bits);
            assert_eq!(found, Some(expected.to_bits()), "{text}");
        }
        for text in ["", "-", "x", "1.5.2", "1_0"] {
            assert_eq!(double(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_canonical_and_keep_their_digits() {
        for (text, expected) in [
            ("12.50", "12.50"),
            ("-0.00", "0.00"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("-12.5e1", "-125"),
            ("-12.5e0", "-12.5"),
            ("123e-2", "1.23"),
            ("+7", "7"),
            ("007.10", "7.10"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0e5", "0"),
            ("0.00e1", "0.0"),
        ] {
            assert_eq!(decimal(text).as_deref(), Some(expected), "{text}");
        }
        let long = format!("{}.{}", "9".repeat(100), "1".repeat(100));
        assert_eq!(decimal(&long).as_deref(), Some(long.as_str()));
        for text in [
            "",
            "-",
            ".",
            "1e",
            "1e+",
            "e5",
            "1,5",
            "abc",
            "1e999999999",
            "1e-999999999",
            "1e99999999999999999999",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn instants_are_those_of_the_library() {
        for text in [
            "2020-01-13T21:25:03Z",
            "2020-02-29T23:59:59.123456789+02:00",
            "1969-12-31T23:59:59.999999-11:30",
            "0001-01-01T00:00:00Z",
            "9999-12-30T23:59:59.5z",
            "1900-03-01t00:00:00Z",
            "2000-02-29 12:00:00+00:00",
            "1600-12-31T00:00:00Z",
        ] {
            let expected = Timestamp::parse(text).unwrap().as_micros();
            assert_eq!(instant(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn offsets_come_in_several_spellings() {
        let noon = instant("2020-01-13T12:00:00Z");
        for text in [
            "2020-01-13T13:00:00+0100",
            "2020-01-13T11:00:00-01",
            "2020-01-13T12:00:00",
            "2020-01-13 12:00:00.000",
        ] {
            assert_eq!(instant(text), noon, "{text}");
        }
        assert_eq!(instant("2020-01-13"), instant("2020-01-13T00:00:00Z"));
        assert_eq!(
            instant("2016-12-31T23:59:60Z"),
            instant("2017-01-01T00:00:00Z")
        );
        for text in [
            "2020-13-01T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2020-01-13T24:00:00Z",
            "2020-01-13T12:00:00.Z",
            "2020-01-13T12:00:00+1",
            "2020-01-13T12:00:00 ",
            "2020-01-13T12:00:00Zx",
            "20200113T120000Z",
            "",
            "2020-01-13T12:00:00+99:00",
            "2020-0a-13T12:00:00Z",
            "äöüäöüäöüäöü",
            "2020-01-00T12:00:00Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
