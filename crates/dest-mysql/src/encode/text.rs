//! Values as the server reads them.

use std::io::Write;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 1000-01-01T00:00:00Z to the last microsecond of 9999, counted from 1970.
const RANGE: std::ops::RangeInclusive<i64> = -30_610_224_000_000_000..=253_402_300_799_999_999;

/// Text with a backslash before what means something else in a line.
#[inline]
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'\\' => b'\\',
            b'\t' => b't',
            b'\n' => b'n',
            0 => b'0',
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(&[b'\\', escape]);
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
}

#[inline]
pub(super) fn put_integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    out.extend_from_slice(&digits[start..]);
}

/// The shortest digits that lead back to the same number. NaN and infinities never travel; NULL is what would become of them.
#[inline]
pub(super) fn put_float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(super::NULL);
        return;
    }
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value:e}");
}

/// `1999-12-31 23:59:59.999999`. `None`, and nothing written, when the column cannot hold it.
#[inline]
pub(super) fn put_datetime(micros: i64, out: &mut Vec<u8>) -> Option<()> {
    if !RANGE.contains(&micros) {
        return None;
    }
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let mut text = *b"0000-00-00 00:00:00.000000";
    for (place, digits, value) in [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, second / 3_600),
        (14, 2, second / 60 % 60),
        (17, 2, second % 60),
        (20, 6, micros.rem_euclid(MICROS_PER_SECOND)),
    ] {
        let mut rest = value;
        for digit in text[place..place + digits].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    out.extend_from_slice(&text);
    Some(())
}

/// Year, month and day of a day counted from 1970, in the proleptic Gregorian calendar.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = match shifted_month < 10 {
        true => shifted_month + 3,
        false => shifted_month - 9,
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
