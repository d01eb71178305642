//! Finding the end of a long array quickly, without looking at what is in it.

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// Length of the text inside the array whose opening bracket stands just before `text`, up to the bracket that closes it.
/// `None` if there is none. Text that is no JSON gives some length or none: whoever reads the array sees that.
pub fn array_length(text: &str) -> Option<usize> {
    let mut state = State {
        in_string: false,
        escaped: false,
        depth: 1,
    };
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if !state.passes(block)
            && let Some(offset) = state.closes_in(block)
        {
            return Some(index * BLOCK + offset);
        }
    }
    let offset = state.closes_in(rest)?;
    Some(blocks.len() * BLOCK + offset)
}

struct State {
    in_string: bool,
    /// A backslash stands just before.
    escaped: bool,
    depth: usize,
}

impl State {
    /// Goes over a block if nothing but its quotes matters: brackets and backslashes are rare.
    #[inline]
    fn passes(&mut self, block: &[u8; BLOCK]) -> bool {
        let mut quotes = 0_u8;
        let mut special = self.escaped;
        for byte in block {
            quotes += u8::from(*byte == b'"');
            special |= matches!(byte, b'[' | b']' | b'\\');
        }
        if !special {
            self.in_string ^= quotes % 2 == 1;
        }
        !special
    }

    /// Where the array ends in these bytes.
    fn closes_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (offset, byte) in bytes.iter().enumerate() {
            if self.escaped {
                self.escaped = false;
                continue;
            }
            match (byte, self.in_string) {
                (b'"', _) => self.in_string = !self.in_string,
                (b'\\', true) => self.escaped = true,
                (b'[', false) => self.depth += 1,
                (b']', false) => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(offset);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
