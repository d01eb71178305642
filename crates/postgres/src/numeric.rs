//! PostgreSQL's binary `numeric`, exactly: to and from integers at a scale, and canonical text. No floats anywhere.
//!
//! Layout (`numeric_send` in the server's `numeric.c`): four 16-bit numbers - count of digit groups, weight of the first
//! group, sign, display scale - and the groups, each worth 0 to 9999. Group `i` stands for `group * 10000^(weight - i)`.

mod encode;
#[cfg(test)]
mod tests;

use arrow_buffer::i256;

pub use encode::{EncodedNumeric, encode_i128, encode_i256, encode_text};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
/// NaN is 0xC000, +Infinity 0xD000, -Infinity 0xF000.
const NOT_FINITE: [u16; 3] = [0xC000, 0xD000, 0xF000];
/// Decimal digits of a group.
const GROUP_DIGITS: i32 = 4;
const GROUP_BASE: u16 = 10_000;
/// Greatest scale of an unconstrained `numeric`.
const MAX_SCALE: u16 = 16_383;
/// So many groups fit a `u128` whatever they hold.
const SAFE_GROUPS: usize = 9;

const POWERS: [u128; 39] = {
    let mut powers = [1_u128; 39];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// Bytes that are not a `numeric`, or a text that is not a plain decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid numeric value")]
pub struct InvalidNumeric;

/// A finite value, still in the server's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Numeric<'a> {
    negative: bool,
    weight: i16,
    scale: u16,
    groups: &'a [[u8; 2]],
}

impl<'a> Numeric<'a> {
    /// Checks the layout. `Ok(None)` is NaN or an infinity.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, InvalidNumeric> {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or(InvalidNumeric)?;
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let (count, sign, scale) = (number(0), number(4), number(6));
        let weight = i16::from_be_bytes([head[2], head[3]]);
        let (groups, odd) = rest.as_chunks::<2>();
        if !odd.is_empty() || groups.len() != usize::from(count) || scale > MAX_SCALE {
            return Err(InvalidNumeric);
        }
        if NOT_FINITE.contains(&sign) {
            return Ok(None);
        }
        if (sign != POSITIVE && sign != NEGATIVE)
            || groups.iter().any(|group| value(group) >= GROUP_BASE)
        {
            return Err(InvalidNumeric);
        }
        Ok(Some(Self {
            negative: sign == NEGATIVE,
            weight,
            scale,
            groups,
        }))
    }

    /// Digits behind the point as the server displays them.
    pub fn scale(&self) -> u16 {
        self.scale
    }

    /// The value times `10^scale`; `None` when that is not a whole number or does not fit.
    #[inline]
    pub fn to_i128(&self, scale: u8) -> Option<i128> {
        let mut magnitude = 0_u128;
        // Power of ten of the group's unit, relative to the result's unit.
        let mut power = i32::from(scale) + GROUP_DIGITS * i32::from(self.weight);
        for (index, group) in self.groups.iter().enumerate() {
            let (factor, part) = align(value(group), power)?;
            magnitude = if index < SAFE_GROUPS {
                magnitude * factor + part
            } else {
                magnitude.checked_mul(factor)?.checked_add(part)?
            };
            power -= GROUP_DIGITS;
        }
        // What the groups leave out are zeros: `power` now belongs to the group after the last.
        let zeros = power + GROUP_DIGITS;
        if zeros > 0 && magnitude != 0 {
            let factor = POWERS.get(usize::try_from(zeros).ok()?)?;
            magnitude = magnitude.checked_mul(*factor)?;
        }
        let result = i128::try_from(magnitude).ok()?;
        Some(if self.negative { -result } else { result })
    }

    /// The same for wider values.
    pub fn to_i256(&self, scale: u8) -> Option<i256> {
        if let Some(small) = self.to_i128(scale) {
            return Some(i256::from_i128(small));
        }
        let mut magnitude = i256::ZERO;
        let mut power = i32::from(scale) + GROUP_DIGITS * i32::from(self.weight);
        for group in self.groups {
            let (factor, part) = align(value(group), power)?;
            magnitude = magnitude
                .checked_mul(small(factor))?
                .checked_add(small(part))?;
            power -= GROUP_DIGITS;
        }
        let zeros = power + GROUP_DIGITS;
        if zeros > 0 && magnitude != i256::ZERO {
            let factor = small(10).checked_pow(u32::try_from(zeros).ok().filter(|n| *n < 77)?)?;
            magnitude = magnitude.checked_mul(factor)?;
        }
        Some(if self.negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        })
    }

    /// Appends the canonical text: `-` where negative, no exponent, no leading zeros but one before the point, as many
    /// digits behind the point as the server displays.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        let group = |index: i32| {
            usize::try_from(index)
                .ok()
                .and_then(|index| self.groups.get(index))
                .map_or(0, value)
        };
        let weight = i32::from(self.weight);
        if self.negative && self.groups.iter().any(|group| value(group) != 0) {
            out.push(b'-');
        }
        let start = out.len();
        for index in 0..=weight {
            let digits = decimal(group(index));
            if out.len() > start {
                out.extend(digits);
            } else {
                let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(4);
                out.extend(&digits[first..]);
            }
        }
        if out.len() == start {
            out.push(b'0');
        }
        if self.scale > 0 {
            out.push(b'.');
            let end = out.len() + usize::from(self.scale);
            let mut index = weight + 1;
            while out.len() < end {
                let digits = decimal(group(index));
                let room = (end - out.len()).min(digits.len());
                out.extend(&digits[..room]);
                index += 1;
            }
        }
    }
}

#[inline]
fn value(group: &[u8; 2]) -> u16 {
    u16::from_be_bytes(*group)
}

fn small(value: u128) -> i256 {
    i256::from_parts(value, 0)
}

/// How much the result grows by a group at `power`, and what the group adds. `None` when the group has digits below the
/// result's unit.
#[inline]
fn align(group: u16, power: i32) -> Option<(u128, u128)> {
    let group = u128::from(group);
    match power {
        0.. => Some((POWERS[4], group)),
        -1 => split(group, 10, POWERS[3]),
        -2 => split(group, 100, POWERS[2]),
        -3 => split(group, 1_000, POWERS[1]),
        _ => split(group, 10_000, POWERS[0]),
    }
}

#[inline]
fn split(group: u128, below: u128, factor: u128) -> Option<(u128, u128)> {
    group
        .is_multiple_of(below)
        .then_some((factor, group / below))
}

fn decimal(group: u16) -> [u8; 4] {
    [1_000, 100, 10, 1].map(|unit| b'0' + u8::try_from(group / unit % 10).unwrap_or(0))
}
