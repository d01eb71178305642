//! Decimals as canonical text.

use std::fmt::Write;

/// Largest power of ten that is written out; beyond it a text is no sensible decimal. Covers every double.
const MAX_EXPONENT: i64 = 400;

/// Appends the canonical form of a decimal literal (`+1.50`, `-3`, `1e-3`) to `out` and says whether `text` was one.
///
/// With a declared scale there are at least that many digits behind the point, and more only where they are not zero.
/// Without, the digits stay as written. `out` is as it was when the answer is `false`.
pub(crate) fn append_canonical(text: &str, scale: Option<u32>, out: &mut String) -> bool {
    let start = out.len();
    let done = append(text, scale, out).is_some();
    if !done {
        out.truncate(start);
    }
    done
}

fn append(text: &str, scale: Option<u32>, out: &mut String) -> Option<()> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0
        || !all_digits(whole)
        || !all_digits(fraction)
        || exponent.abs() > MAX_EXPONENT
    {
        return None;
    }
    let digits = || whole.bytes().chain(fraction.bytes());
    if negative && digits().any(|digit| digit != b'0') {
        out.push('-');
    }
    // The point stands behind this many digits of whole and fraction taken together.
    let point = whole.len() as i64 + exponent;
    push_whole(digits(), point, out);
    push_fraction(digits(), whole.len() + fraction.len(), point, scale, out);
    Some(())
}

fn push_whole(digits: impl Iterator<Item = u8>, point: i64, out: &mut String) {
    let mut pushed = 0;
    let mut seen = 0;
    for digit in digits.take(usize::try_from(point).unwrap_or(0)) {
        seen += 1;
        if pushed > 0 || digit != b'0' {
            out.push(char::from(digit));
            pushed += 1;
        }
    }
    if pushed > 0 {
        out.extend(std::iter::repeat_n(
            '0',
            usize::try_from(point - seen).unwrap_or(0),
        ));
    } else {
        out.push('0');
    }
}

fn push_fraction(
    digits: impl Iterator<Item = u8>,
    count: usize,
    point: i64,
    scale: Option<u32>,
    out: &mut String,
) {
    let before = out.len();
    out.push('.');
    let leading = usize::try_from(-point).unwrap_or(0);
    out.extend(std::iter::repeat_n('0', leading));
    let skipped = usize::try_from(point).unwrap_or(0).min(count);
    out.extend(digits.skip(skipped).map(char::from));
    if let Some(scale) = scale {
        let wanted = before + 1 + scale as usize;
        while out.len() > wanted && out.ends_with('0') {
            out.pop();
        }
        out.extend(std::iter::repeat_n('0', wanted.saturating_sub(out.len())));
    }
    if out.ends_with('.') {
        out.pop();
    }
}

/// Appends a double as the shortest decimal that reads back as the same double.
pub(crate) fn append_double(
    value: f64,
    scale: Option<u32>,
    scratch: &mut String,
    out: &mut String,
) {
    scratch.clear();
    // Writing into a String cannot fail.
    let _ = write!(scratch, "{value}");
    append_canonical(scratch, scale, out);
}

/// Appends an integer as a decimal.
pub(crate) fn append_integer(value: i64, scale: Option<u32>, out: &mut String) {
    let _ = write!(out, "{value}");
    if let Some(scale @ 1..) = scale {
        out.push('.');
        out.extend(std::iter::repeat_n('0', scale as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str, scale: Option<u32>) -> Option<String> {
        let mut out = String::from("|");
        append_canonical(text, scale, &mut out).then(|| out[1..].to_owned())
    }

    #[test]
    fn literals_become_canonical() {
        for (text, scale, expected) in [
            ("0", None, "0"),
            ("-0.00", None, "0.00"),
            ("+007.50", None, "7.50"),
            (".5", None, "0.5"),
            ("5.", None, "5"),
            ("1.5", Some(2), "1.50"),
            ("1.50000", Some(2), "1.50"),
            ("1.2345", Some(2), "1.2345"),
            ("12", Some(0), "12"),
            ("12.000", Some(0), "12"),
            ("1e3", None, "1000"),
            ("1.25e1", None, "12.5"),
            ("-1.5e-3", None, "-0.0015"),
            ("0e5", None, "0"),
            (
                "123456789012345678901234567890.000000001",
                None,
                "123456789012345678901234567890.000000001",
            ),
        ] {
            assert_eq!(canonical(text, scale).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_decimals() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e999999999",
            "NaN",
            "1,5",
            " 1",
            "0x1",
            "1.2.3",
            "--1",
        ] {
            assert_eq!(canonical(text, None), None, "{text:?}");
        }
    }

    #[test]
    fn doubles_keep_every_digit_that_matters() {
        let mut scratch = String::new();
        for (value, scale, expected) in [
            (0.1, Some(2), "0.10"),
            (19.99, Some(2), "19.99"),
            (-0.0, None, "0"),
            (1e21, None, "1000000000000000000000"),
            (5e-324, None, &format!("0.{}5", "0".repeat(323))),
        ] {
            let mut out = String::new();
            append_double(value, scale, &mut scratch, &mut out);
            assert_eq!(out, expected);
            assert_eq!(out.parse::<f64>().unwrap(), value);
        }
    }
}
