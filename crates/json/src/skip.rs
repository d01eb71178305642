//! Finding the end of an array or object quickly, without looking at what is in it.
//!
//! Only brackets outside of strings count. Where strings begin and end is found for 64 bytes at once.

use crate::sixteen::{LEN, Sixteen};

/// Bytes that are looked at together: a bit for each in one word.
const BLOCK: usize = 64;

/// Length of the text inside the array whose opening bracket stands just before `text`, up to the bracket that closes it.
/// `None` if there is none. Text that is no JSON gives some length or none: whoever reads the array sees that.
pub fn array_length(text: &str) -> Option<usize> {
    length(text.as_bytes(), b'[', b']')
}

/// The same for an object, whose opening brace stands just before `text`.
pub fn object_length(text: &str) -> Option<usize> {
    length(text.as_bytes(), b'{', b'}')
}

#[inline(always)]
fn length(text: &[u8], opening: u8, closing: u8) -> Option<usize> {
    let mut state = State {
        in_string: 0,
        escaped: 0,
        depth: 1,
    };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if let Some(offset) = state.closes_in(block, opening, closing) {
            return Some(index * BLOCK + offset);
        }
    }
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let offset = state.closes_in(&last, opening, closing)?;
    Some(blocks.len() * BLOCK + offset)
}

struct State {
    /// All bits if a string is open, else none.
    in_string: u64,
    /// 1 if a backslash stands just before that is not escaped itself.
    escaped: u64,
    depth: u32,
}

impl State {
    /// Where the list ends in these bytes.
    #[inline(always)]
    fn closes_in(&mut self, block: &[u8; BLOCK], opening: u8, closing: u8) -> Option<usize> {
        let mut quotes = found(block, b'"');
        let backslashes = found(block, b'\\');
        if backslashes | self.escaped != 0 {
            quotes &= !self.escaped_in(backslashes);
        }
        let strings = odd_before_or_at(quotes) ^ self.in_string;
        self.in_string = 0_u64.wrapping_sub(strings >> (BLOCK - 1));
        let opens = found(block, opening) & !strings;
        let mut closes = found(block, closing) & !strings;
        if closes.count_ones() < self.depth {
            self.depth = self.depth + opens.count_ones() - closes.count_ones();
            return None;
        }
        // Each closing bracket with the opening ones before it.
        let mut closed = 0;
        while closes != 0 {
            let before = closes & closes.wrapping_neg();
            closed += 1;
            if self.depth + (opens & (before - 1)).count_ones() == closed {
                return Some(closes.trailing_zeros() as usize);
            }
            closes &= closes - 1;
        }
        self.depth = self.depth + opens.count_ones() - closed;
        None
    }

    /// Bytes behind a backslash that is not escaped itself.
    #[inline(never)]
    fn escaped_in(&mut self, mut backslashes: u64) -> u64 {
        let mut escaped = self.escaped;
        backslashes &= !escaped;
        self.escaped = 0;
        while backslashes != 0 {
            let place = backslashes.trailing_zeros();
            match place as usize == BLOCK - 1 {
                true => self.escaped = 1,
                false => escaped |= 2 << place,
            }
            backslashes &= !(3 << place);
        }
        escaped
    }
}

/// Bytes that are this one, the first lowest.
#[inline(always)]
fn found(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (parts, _) = block.as_chunks::<LEN>();
    let found = |part: usize| u64::from(Sixteen::new(parts[part]).equal(byte));
    found(0) | found(1) << 16 | found(2) << 32 | found(3) << 48
}

/// Sets each bit up to which, with itself, an odd number is set.
#[inline(always)]
fn odd_before_or_at(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, one byte after the other.
    fn plainly(text: &[u8], opening: u8, closing: u8) -> Option<usize> {
        let (mut in_string, mut escaped, mut depth) = (false, false, 1);
        for (offset, byte) in text.iter().enumerate() {
            let is_escaped = std::mem::replace(&mut escaped, false);
            match byte {
                b'"' => in_string ^= !is_escaped,
                b'\\' => escaped = !is_escaped,
                byte if *byte == opening && !in_string => depth += 1,
                byte if *byte == closing && !in_string => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(offset);
                    }
                }
                _ => {}
            }
        }
        None
    }

    #[test]
    fn lengths_are_those_of_a_plain_reading() {
        let mut odd = 1_u64;
        for length in 0..400 {
            for _ in 0..20 {
                let text: Vec<u8> = (0..length)
                    .map(|_| {
                        odd = odd.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                        br#"{{{}}[]"\\"ab"#[(odd >> 40) as usize % 13]
                    })
                    .collect();
                let text = String::from_utf8(text).unwrap();
                for (found, opening, closing) in [
                    (object_length(&text), b'{', b'}'),
                    (array_length(&text), b'[', b']'),
                ] {
                    assert_eq!(found, plainly(text.as_bytes(), opening, closing), "{text}");
                }
            }
        }
    }

    #[test]
    fn brackets_in_strings_and_inner_arrays_do_not_count() {
        for inside in [
            "",
            "1,2",
            "[],[[1]]",
            r#"{"a]":"]\"]\\"},["x\\\"]"]"#,
            r#""\\",[]"#,
        ] {
            for offset in 0..70 {
                let text = format!("{}{inside}]}}]", " ".repeat(offset));
                assert_eq!(array_length(&text), Some(offset + inside.len()), "{text}");
                let swapped = |byte: char| match byte {
                    '[' => '{',
                    ']' => '}',
                    '{' => '[',
                    '}' => ']',
                    other => other,
                };
                let text: String = text.chars().map(swapped).collect();
                assert_eq!(object_length(&text), Some(offset + inside.len()), "{text}");
            }
        }
    }

    #[test]
    fn an_array_that_does_not_end_has_no_length() {
        let long = "[]".repeat(100);
        for text in ["", "[", r#"""#, r#""]"#, r#""\"#, "[]", &long] {
            assert_eq!(array_length(text), None, "{text}");
        }
    }
}
