//! Exact decimals for a `DECIMAL(38,6)`: as a count of millionths, of which 38 digits fit.
//!
//! Digits beyond the sixth behind the point are rounded, a half to the even neighbour; too many before it are refused.

/// Digits behind the point.
const SCALE: i32 = 6;
/// One more than the greatest count of millionths.
const LIMIT: i128 = 10_i128.pow(38);

/// Millionths in `value` / 10^`scale`; `None` when the column cannot hold them.
pub(super) fn from_i128(value: i128, scale: i8) -> Option<i128> {
    let shift = SCALE - i32::from(scale);
    let units = match u32::try_from(shift) {
        Ok(_) if value == 0 => 0,
        Ok(shift) => value.checked_mul(10_i128.checked_pow(shift)?)?,
        Err(_) => rounded(value, shift.unsigned_abs()),
    };
    (-LIMIT < units && units < LIMIT).then_some(units)
}

/// `value` / 10^`digits`, a half to the even neighbour.
fn rounded(value: i128, digits: u32) -> i128 {
    // A divisor beyond the range is more than twice any value.
    let Some(divisor) = 10_i128.checked_pow(digits) else {
        return 0;
    };
    let (quotient, remainder) = (value / divisor, value % divisor);
    let twice = remainder.unsigned_abs() * 2;
    let up = twice > divisor.unsigned_abs() || twice == divisor.unsigned_abs() && quotient % 2 != 0;
    match up {
        true => quotient + value.signum(),
        false => quotient,
    }
}

/// Millionths in an integer in text form / 10^`scale`. For integers beyond 128 bits.
pub(super) fn from_digits(digits: &str, scale: i8) -> Option<i128> {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let text = match usize::try_from(scale) {
        Err(_) => format!(
            "{sign}{digits}{}",
            "0".repeat(usize::from(scale.unsigned_abs()))
        ),
        Ok(scale) => {
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
    };
    from_text(&text)
}

/// Millionths in a decimal in text form: optional `-`, digits, optional `.` and digits.
pub(super) fn from_text(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut units: i128 = 0;
    let kept = fraction.len().min(SCALE as usize);
    let (fraction, beyond) = fraction.split_at_checked(kept)?;
    let padding = SCALE as usize - kept;
    for digit in whole
        .bytes()
        .chain(fraction.bytes())
        .chain(std::iter::repeat_n(b'0', padding))
    {
        if !digit.is_ascii_digit() {
            return None;
        }
        units = units
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
        if units >= LIMIT {
            return None;
        }
    }
    if let Some(first) = beyond.bytes().next() {
        let rest = beyond.bytes().skip(1).any(|digit| digit != b'0');
        let up = first > b'5' || first == b'5' && (rest || units % 2 != 0);
        units += i128::from(up);
    }
    (units < LIMIT).then_some(if negative { -units } else { units })
}

/// `-12.500000`.
pub(super) fn put(units: i128, out: &mut Vec<u8>) {
    let mut text = [0; 40];
    let mut start = text.len();
    let mut rest = units.unsigned_abs();
    let mut written = 0;
    while rest > 0 || written <= SCALE {
        if written == SCALE {
            start -= 1;
            text[start] = b'.';
        }
        start -= 1;
        text[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        written += 1;
    }
    if units < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(units: Option<i128>) -> String {
        let Some(units) = units else {
            return "refused".to_owned();
        };
        let mut out = Vec::new();
        put(units, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn digits_are_kept_rounded_to_even_or_refused() {
        let most = format!("{}.999999", "9".repeat(32));
        let over = format!("{}.9999995", "9".repeat(32));
        for (text, expected) in [
            ("0", "0.000000"),
            ("-0.5", "-0.500000"),
            ("12.345678", "12.345678"),
            ("0.0000005", "0.000000"),
            ("0.0000015", "0.000002"),
            ("0.0000025", "0.000002"),
            ("-0.0000025000001", "-0.000003"),
            ("1.23456749", "1.234567"),
            (&most, &most),
            (&over, "refused"),
            (&format!("1{}", "0".repeat(32)), "refused"),
            (&format!("{}1", "0".repeat(60)), "1.000000"),
        ] {
            assert_eq!(shown(from_text(text)), expected, "{text}");
        }
    }

    #[test]
    fn integers_of_any_scale_mean_the_same_as_their_text() {
        for (value, scale, expected) in [
            (125, 2, "1.250000"),
            (-125, 2, "-1.250000"),
            (15, 7, "0.000002"),
            (25, 7, "0.000002"),
            (-26, 7, "-0.000003"),
            (7, -3, "7000.000000"),
            (0, -100, "0.000000"),
            (1, 60, "0.000000"),
            (i128::pow(10, 37), -1, "refused"),
            (
                i128::pow(10, 32) - 1,
                0,
                &format!("{}.000000", "9".repeat(32)),
            ),
            (i128::pow(10, 32), 0, "refused"),
        ] {
            assert_eq!(shown(from_i128(value, scale)), expected, "{value} {scale}");
            assert_eq!(
                shown(from_digits(&value.to_string(), scale)),
                expected,
                "{value} {scale} as text"
            );
        }
    }
}
