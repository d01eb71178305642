//! Writing binary `numeric` values.

use arrow_buffer::i256;

use super::{InvalidNumeric, MAX_SCALE, NEGATIVE, POSITIVE, POWERS};

/// Groups of the widest value that fits the stack: 78 digits, with the point anywhere.
const STACK_GROUPS: usize = 24;

/// A value ready to be written behind its length.
#[derive(Clone, Copy, Debug)]
pub struct EncodedNumeric {
    bytes: [u8; 8 + 2 * STACK_GROUPS],
    length: usize,
}

impl EncodedNumeric {
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// `value / 10^scale`, displayed with `scale` digits behind the point. A scale above 38 is refused.
#[inline]
pub fn encode_i128(value: i128, scale: u8) -> Result<EncodedNumeric, InvalidNumeric> {
    if usize::from(scale) >= POWERS.len() {
        return Err(InvalidNumeric);
    }
    let magnitude = value.unsigned_abs();
    let groups = match (u64::try_from(magnitude), scale) {
        // Division of 128 bits costs several times that of 64.
        (Ok(magnitude), 0..=18) => Groups::of_u64(magnitude, scale),
        _ => Groups::of_u128(magnitude, scale),
    };
    Ok(groups.encode(value < 0, u16::from(scale)))
}

/// The same for wider values.
pub fn encode_i256(value: i256, scale: u8) -> Result<EncodedNumeric, InvalidNumeric> {
    if let (Some(small), 0..=38) = (value.to_i128(), scale) {
        return encode_i128(small, scale);
    }
    let text = value.to_string();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let padded = format!("{digits:0>width$}", width = usize::from(scale) + 1);
    let (whole, fraction) = padded.split_at(padded.len() - usize::from(scale));
    let groups = Groups::of_digits(whole, fraction).ok_or(InvalidNumeric)?;
    Ok(groups.encode(text.starts_with('-'), u16::from(scale)))
}

/// Appends canonical text (`-12.340`) as a `numeric` of the same display scale.
pub fn encode_text(text: &str, out: &mut Vec<u8>) -> Result<(), InvalidNumeric> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text),
    };
    let (whole, fraction) = match magnitude.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(InvalidNumeric),
        None => (magnitude, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(InvalidNumeric);
    }
    let scale = u16::try_from(fraction.len())
        .ok()
        .filter(|scale| *scale <= MAX_SCALE)
        .ok_or(InvalidNumeric)?;
    let whole = whole.trim_start_matches('0');
    let significant = fraction.trim_end_matches('0');
    let whole_groups = whole.len().div_ceil(4);
    let mut groups = Vec::with_capacity(whole_groups + significant.len().div_ceil(4));
    groups.extend(from_digits(whole, significant));
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups[leading..]
        .iter()
        .rev()
        .take_while(|group| **group == 0)
        .count();
    let groups = &groups[leading..groups.len() - trailing];
    let weight = i64::try_from(whole_groups).map_err(|_| InvalidNumeric)?
        - 1
        - i64::try_from(leading).map_err(|_| InvalidNumeric)?;
    let head = head(groups.len(), weight, negative, scale).ok_or(InvalidNumeric)?;
    out.extend(head);
    out.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
    Ok(())
}

/// Digit groups, most significant first, right-aligned in `buffer`.
struct Groups {
    buffer: [u16; STACK_GROUPS],
    /// Index of the first group.
    start: usize,
    /// Number of groups behind the point.
    fraction: usize,
}

macro_rules! groups_of {
    ($name:ident, $unsigned:ty) => {
        /// `10^scale` must fit the type.
        fn $name(magnitude: $unsigned, scale: u8) -> Self {
            const BASE: $unsigned = 10_000;
            let unit = (10 as $unsigned).pow(u32::from(scale));
            let (mut whole, mut fraction) = (magnitude / unit, magnitude % unit);
            let mut groups = Self::empty(usize::from(scale).div_ceil(4));
            if scale > 0 {
                // The last group holds 1 to 4 digits, filled up with zeros from the right.
                let digits = (u32::from(scale) - 1) % 4 + 1;
                let (below, fill) = (
                    (10 as $unsigned).pow(digits),
                    (10 as $unsigned).pow(4 - digits),
                );
                groups.push(((fraction % below) * fill) as u16);
                fraction /= below;
                for _ in 1..groups.fraction {
                    groups.push((fraction % BASE) as u16);
                    fraction /= BASE;
                }
            }
            while whole != 0 {
                groups.push((whole % BASE) as u16);
                whole /= BASE;
            }
            groups
        }
    };
}

impl Groups {
    fn empty(fraction: usize) -> Self {
        Self {
            buffer: [0; STACK_GROUPS],
            start: STACK_GROUPS,
            fraction,
        }
    }

    /// Puts a group in front. At most 39 digits come here: 10 groups of fraction and 10 before the point.
    #[inline]
    fn push(&mut self, group: u16) {
        self.start -= 1;
        self.buffer[self.start] = group;
    }

    groups_of!(of_u64, u64);
    groups_of!(of_u128, u128);

    /// `None` when there are more digits than the buffer holds.
    fn of_digits(whole: &str, fraction: &str) -> Option<Self> {
        let whole = whole.trim_start_matches('0');
        let count = whole.len().div_ceil(4) + fraction.len().div_ceil(4);
        let start = STACK_GROUPS.checked_sub(count)?;
        let mut groups = Self::empty(fraction.len().div_ceil(4));
        groups.start = start;
        for (slot, group) in groups.buffer[start..]
            .iter_mut()
            .zip(from_digits(whole, fraction))
        {
            *slot = group;
        }
        Some(groups)
    }

    #[inline]
    fn encode(&self, negative: bool, scale: u16) -> EncodedNumeric {
        let all = &self.buffer[self.start..];
        let leading = all.iter().take_while(|group| **group == 0).count();
        let used = &all[leading..];
        let trailing = used.iter().rev().take_while(|group| **group == 0).count();
        let used = &used[..used.len() - trailing];
        // At most STACK_GROUPS groups: the weight fits by far.
        let weight = all.len() as i64 - self.fraction as i64 - 1 - leading as i64;
        let mut encoded = EncodedNumeric {
            bytes: [0; 8 + 2 * STACK_GROUPS],
            length: 8 + 2 * used.len(),
        };
        if let Some(head) = head(used.len(), weight, negative, scale) {
            encoded.bytes[..8].copy_from_slice(&head);
        }
        for (slot, group) in encoded.bytes[8..]
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(used)
        {
            *slot = group.to_be_bytes();
        }
        encoded
    }
}

/// The digits of a number in groups; `whole` is filled up with zeros from the left, `fraction` from the right.
fn from_digits<'a>(whole: &'a str, fraction: &'a str) -> impl Iterator<Item = u16> + 'a {
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'))
    };
    let (first, rest) = whole.as_bytes().split_at(whole.len() % 4);
    let first = (!first.is_empty()).then(|| number(first));
    let fill = move |digits: &[u8]| number(digits) * 10_u16.pow(4 - digits.len() as u32);
    first
        .into_iter()
        .chain(rest.chunks(4).map(number))
        .chain(fraction.as_bytes().chunks(4).map(fill))
}

/// The fixed part. Zero has no groups, weight 0 and no sign.
#[inline]
fn head(groups: usize, weight: i64, negative: bool, scale: u16) -> Option<[u8; 8]> {
    let count = u16::try_from(groups).ok()?.to_be_bytes();
    let weight = if groups == 0 {
        0
    } else {
        i16::try_from(weight).ok()?
    }
    .to_be_bytes();
    let sign = if negative && groups > 0 {
        NEGATIVE
    } else {
        POSITIVE
    }
    .to_be_bytes();
    let scale = scale.to_be_bytes();
    Some([
        count[0], count[1], weight[0], weight[1], sign[0], sign[1], scale[0], scale[1],
    ])
}
