//! Values that are kept as text, in their canonical form. Everything goes into buffers that are reused.

use std::fmt::Write;

use arrow_buffer::i256;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// `2031-02-03T04:05:06.789012Z`.
pub(crate) fn timestamp(micros: i64, out: &mut String) {
    date(micros.div_euclid(MICROS_PER_DAY), out);
    let micros = micros.rem_euclid(MICROS_PER_DAY);
    let seconds = micros / 1_000_000;
    out.push('T');
    two_digits(seconds / 3_600, out);
    out.push(':');
    two_digits(seconds / 60 % 60, out);
    out.push(':');
    two_digits(seconds % 60, out);
    out.push('.');
    let fraction = micros % 1_000_000;
    two_digits(fraction / 10_000, out);
    two_digits(fraction / 100 % 100, out);
    two_digits(fraction % 100, out);
    out.push('Z');
}

/// `2031-02-03`, from days since 1970-01-01 in the proleptic Gregorian calendar. Years 0001 to 9999.
pub(crate) fn date(days: i64, out: &mut String) {
    // Counted in 400-year eras of years that begin in March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9_999).contains(&year) {
        two_digits(year / 100, out);
        two_digits(year % 100, out);
    } else {
        // No source sends these; they are readable all the same.
        let _ = write!(out, "{year}");
    }
    out.push('-');
    two_digits(month, out);
    out.push('-');
    two_digits(day, out);
}

fn two_digits(value: i64, out: &mut String) {
    // Every caller's value is below 100.
    let digit = |value: i64| char::from(b'0' + (value % 10) as u8);
    out.push(digit(value / 10));
    out.push(digit(value));
}

/// `8d3a…-…`, in groups of 8, 4, 4, 4 and 12 hexadecimal digits.
pub(crate) fn uuid(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
}

/// `unscaled * 10^-scale` with exactly `scale` digits behind the point.
pub(crate) fn decimal(unscaled: i128, scale: i8, out: &mut String) {
    // Writing into a String cannot fail.
    let start = out.len();
    let _ = write!(out, "{unscaled}");
    place_point(start, scale, out);
}

/// The same for up to 76 digits.
pub(crate) fn wide_decimal(unscaled: i256, scale: i8, out: &mut String) {
    if let Some(unscaled) = unscaled.to_i128() {
        return decimal(unscaled, scale, out);
    }
    let start = out.len();
    let _ = write!(out, "{unscaled}");
    place_point(start, scale, out);
}

/// Puts the point into the digits that begin at `start`, behind an optional sign.
fn place_point(start: usize, scale: i8, out: &mut String) {
    let digits = start + usize::from(out[start..].starts_with('-'));
    match usize::try_from(scale) {
        Ok(0) => {}
        Ok(scale) => {
            // At least one digit stays in front of the point.
            while out.len() - digits <= scale {
                out.insert(digits, '0');
            }
            let point = out.len() - scale;
            out.insert(point, '.');
        }
        Err(_) if &out[digits..] == "0" => {}
        Err(_) => out.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs()))),
    }
}

/// A canonical decimal without trailing zeros behind the point: keys that are equal as numbers are equal as text.
pub(crate) fn without_trailing_zeros(decimal: &str) -> &str {
    match decimal.contains('.') {
        true => decimal.trim_end_matches('0').trim_end_matches('.'),
        false => decimal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_types::Timestamp;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn timestamps_agree_with_a_calendar() {
        for days in (-719_162..2_932_000).step_by(991) {
            let instant = Timestamp::from_micros(days * MICROS_PER_DAY + 14_706_789_012);
            assert_eq!(
                text(|out| timestamp(instant.as_micros(), out)),
                instant.to_micros_string()
            );
        }
        assert_eq!(
            text(|out| timestamp(253_402_300_799_999_999, out)),
            "9999-12-31T23:59:59.999999Z"
        );
        assert_eq!(
            text(|out| timestamp(-62_135_596_800_000_000, out)),
            "0001-01-01T00:00:00.000000Z"
        );
        assert_eq!(
            text(|out| timestamp(-1, out)),
            "1969-12-31T23:59:59.999999Z"
        );
    }

    #[test]
    fn decimals_have_their_scale_and_no_exponent() {
        for (unscaled, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (1_990, 2, "19.90"),
            (-123_456, 3, "-123.456"),
            (12, -3, "12000"),
            (0, -3, "0"),
            (i128::MAX, 10, "17014118346046923173168730371.5884105727"),
        ] {
            assert_eq!(text(|out| decimal(unscaled, scale, out)), expected);
        }
        let wide = i256::from_string("-1234567890123456789012345678901234567890123456789").unwrap();
        assert_eq!(
            text(|out| wide_decimal(wide, 4, out)),
            "-123456789012345678901234567890123456789012345.6789"
        );
        assert_eq!(text(|out| wide_decimal(i256::from(7), 1, out)), "0.7");
    }

    #[test]
    fn equal_decimals_are_equal_texts_as_keys() {
        for (decimal, expected) in [("1.00", "1"), ("1.50", "1.5"), ("100", "100"), ("0.0", "0")] {
            assert_eq!(without_trailing_zeros(decimal), expected);
        }
    }

    #[test]
    fn uuids_are_grouped() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(
            text(|out| uuid(&bytes, out)),
            "00010203-0405-0607-0809-0a0b0c0d0e0f"
        );
    }
}
