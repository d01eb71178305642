//! Numbers as they are written, compared without ever being rounded.

use std::cmp::Ordering;

/// A number literal of JSON: 0.`digits` × 10^`magnitude`, the first and the last digit not 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// Zeros in front of the first digit that counts.
    leading: usize,
    /// Digits that count; none for zero.
    len: usize,
    magnitude: i64,
}

impl<'a> Decimal<'a> {
    /// `text` is a number as JSON writes it.
    pub(super) fn new(text: &'a str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let zeros = |digits: &str| digits.bytes().take_while(|digit| *digit == b'0').count();
        let zeros_behind = |digits: &str| {
            digits
                .bytes()
                .rev()
                .take_while(|digit| *digit == b'0')
                .count()
        };
        let mut leading = zeros(whole);
        if leading == whole.len() {
            leading += zeros(fraction);
        }
        let mut trailing = zeros_behind(fraction);
        if trailing == fraction.len() {
            trailing += zeros_behind(whole);
        }
        let len = (whole.len() + fraction.len()).saturating_sub(leading + trailing);
        Self {
            negative: negative && len > 0,
            whole,
            fraction,
            leading,
            len,
            magnitude: match len {
                0 => 0,
                _ => exponent.saturating_add(whole.len() as i64 - leading as i64),
            },
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        let all = self.whole.bytes().chain(self.fraction.bytes());
        all.skip(self.leading).take(self.len)
    }

    /// Power of ten of the last digit.
    fn scale(&self) -> i64 {
        self.magnitude.saturating_sub(self.len as i64)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self.signum(), other.signum()) {
            (1, 1) => self.compare_digits(other),
            (-1, -1) => other.compare_digits(self),
            (one, two) => one.cmp(&two),
        }
    }

    fn signum(&self) -> i8 {
        match (self.len, self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    fn compare_digits(&self, other: &Self) -> Ordering {
        self.magnitude
            .cmp(&other.magnitude)
            .then_with(|| self.digits().cmp(other.digits()))
    }

    /// The same text for all ways to write a number, and for no other number.
    pub(super) fn canonical(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        out.extend(self.digits().map(char::from));
        out.push('e');
        out.push_str(&self.magnitude.to_string());
    }
}

/// An exponent; one beyond all bounds is as good as the bound, as no text is that long.
fn exponent_of(text: &str) -> i64 {
    const BOUND: i64 = i64::MAX / 4;
    match text.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-BOUND, BOUND),
        Err(_) if text.starts_with('-') => -BOUND,
        Err(_) => BOUND,
    }
}

/// A number that others may be multiples of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    digits: u64,
    scale: i64,
}

impl Divisor {
    /// `None` for what is not above zero, or has more digits than 64 bits hold.
    pub(super) fn new(text: &str) -> Option<Self> {
        let decimal = Decimal::new(text);
        if decimal.signum() != 1 {
            return None;
        }
        let digits = decimal.digits().try_fold(0_u64, |value, digit| {
            value.checked_mul(10)?.checked_add(u64::from(digit & 0xf))
        })?;
        Some(Self {
            digits,
            scale: decimal.scale(),
        })
    }

    /// Whether this is a power of ten that divides a number for having so few digits behind the point. Any number may be found
    /// not to: [`Divisor::divides`] tells.
    pub(super) fn plainly_divides(self, text: &str) -> bool {
        let places = match usize::try_from(self.scale.saturating_neg()) {
            Ok(places) if self.digits == 1 => places,
            _ => return false,
        };
        // An exponent would stand behind the point.
        let digits = text.bytes().rev();
        let behind = digits
            .take(places + 1)
            .position(|byte| !byte.is_ascii_digit());
        behind.is_some_and(|behind| text.as_bytes()[text.len() - 1 - behind] == b'.')
    }

    pub(super) fn divides(self, number: &Decimal<'_>) -> bool {
        if number.len == 0 {
            return true;
        }
        // The last digit of the number is not 0, so no power of ten divides it.
        let Ok(shift) = u64::try_from(number.scale().saturating_sub(self.scale)) else {
            return false;
        };
        if self.digits == 1 {
            return true;
        }
        let modulus = u128::from(self.digits);
        let rest = number.digits().fold(0, |rest, digit| {
            (rest * 10 + u128::from(digit & 0xf)) % modulus
        });
        (rest * power_of_ten(shift, modulus)).is_multiple_of(modulus)
    }
}

/// 10^`exponent` modulo something below 2^64.
fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut power, mut base) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * base % modulus;
        }
        base = base * base % modulus;
        exponent /= 2;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value_not_by_spelling() {
        let ascending = [
            "-1e400",
            "-100",
            "-99.99",
            "-1",
            "-1e-400",
            "0",
            "1e-999999999999999999999",
            "1e-400",
            "0.099",
            "0.1",
            "1",
            "1.000000000000000000000000001",
            "9",
            "10",
            "9007199254740993",
            "1e400",
            "1e999999999999999999999",
        ];
        for (left, one) in ascending.iter().enumerate() {
            for (right, other) in ascending.iter().enumerate() {
                let order = Decimal::new(one).compare(&Decimal::new(other));
                assert_eq!(order, left.cmp(&right), "{one} and {other}");
            }
        }
        for same in [
            ["0", "-0.00e5"],
            ["100", "1E2"],
            ["1.50", "15e-1"],
            ["0.001", "1e-3"],
        ] {
            let order = Decimal::new(same[0]).compare(&Decimal::new(same[1]));
            assert_eq!(order, Ordering::Equal, "{same:?}");
            let canonical = same.map(|text| {
                let mut out = String::new();
                Decimal::new(text).canonical(&mut out);
                out
            });
            assert_eq!(canonical[0], canonical[1]);
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, divisor, expected) in [
            ("0.3", "0.1", true),
            ("1.1", "0.01", true),
            ("19.99", "0.01", true),
            ("19.999", "0.01", false),
            ("0", "7", true),
            ("-21", "7", true),
            ("22", "7", false),
            ("7.5", "2.5", true),
            ("1e300", "7", false),
            ("7e300", "7", true),
            ("12345678901234567890123456789.5", "0.5", true),
            ("100", "1e2", true),
            ("150", "1e2", false),
            ("1e-30", "1e-30", true),
            ("1e999999999999999999999", "3", false),
        ] {
            let divides = Divisor::new(divisor)
                .unwrap()
                .divides(&Decimal::new(number));
            assert_eq!(divides, expected, "{number} by {divisor}");
            let plainly = Divisor::new(divisor).unwrap().plainly_divides(number);
            assert!(expected || !plainly, "{number} by {divisor}");
        }
        for (number, expected) in [
            ("1.25", true),
            ("1.5", true),
            ("-0.00", true),
            ("1.255", false),
            ("1.250", false),
            ("1.5e1", false),
            ("12", false),
            ("1", false),
        ] {
            let cents = Divisor::new("0.01").unwrap();
            assert_eq!(cents.plainly_divides(number), expected, "{number}");
        }
        for text in ["0", "-1", "1.2345678901234567890123"] {
            assert!(Divisor::new(text).is_none(), "{text}");
        }
    }
}
