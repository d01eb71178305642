//! Numbers: where they end, and whether they are integers. What they are worth is told in `literal`.

use super::{Malformed, Scanner};
use crate::sixteen::{self, Sixteen};

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    pub text: &'a str,
    /// Neither fraction nor exponent.
    pub integer: bool,
}

impl<'a> Scanner<'a> {
    /// The number that begins here.
    #[inline(always)]
    pub fn number(&mut self) -> Result<Number<'a>, Malformed> {
        let bytes = self.text.as_bytes();
        let negative = bytes.get(self.at) == Some(&b'-');
        if let Some((end, integer)) = usual_number(bytes, self.at + usize::from(negative))
            && let Some(text) = self.text.get(self.at..end)
        {
            self.at = end;
            return Ok(Number { text, integer });
        }
        self.unusual_number()
    }

    /// A number of any form.
    #[inline(never)]
    fn unusual_number(&mut self) -> Result<Number<'a>, Malformed> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let digits = |at: usize| sixteen::first(bytes, at, Sixteen::not_digits);
        let whole = at;
        at = digits(at);
        let leading_zero = at > whole + 1 && bytes[whole] == b'0';
        if at == whole || leading_zero {
            return Err(self.malformed("a number is not written as JSON writes it"));
        }
        let mut integer = true;
        if bytes.get(at) == Some(&b'.') {
            integer = false;
            let fraction = at + 1;
            at = digits(fraction);
            if at == fraction {
                return Err(self.malformed("a number is not written as JSON writes it"));
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            integer = false;
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = at;
            at = digits(at);
            if at == exponent {
                return Err(self.malformed("a number is not written as JSON writes it"));
            }
        }
        self.at = at;
        Ok(Number {
            text: &self.text[start..at],
            integer,
        })
    }
}

/// End of the number whose digits begin at `at`, and whether it is an integer; `None` if it has an exponent or is malformed.
#[inline(always)]
pub(super) fn usual_number(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let others = sixteen::from(bytes, at, Sixteen::not_digits);
    let whole = others.trailing_zeros() as usize;
    // Mostly the whole number stands in the sixteen bytes.
    let (mut end, mut integer) = (at + whole, true);
    if bytes.get(end) == Some(&b'.') {
        let behind = others & others.wrapping_sub(1);
        end = at + behind.trailing_zeros() as usize;
        integer = false;
    }
    if end >= at + sixteen::LEN {
        return long_number(bytes, at);
    }
    let ends_with_point = !integer && end == at + whole + 1;
    if whole == 0 || ends_with_point || (whole > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    match bytes.get(end) {
        Some(b'e' | b'E') => None,
        _ => Some((end, integer)),
    }
}

/// The same for a number of sixteen bytes or more.
#[inline(never)]
fn long_number(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let digits = |at: usize| sixteen::first(bytes, at, Sixteen::not_digits);
    let mut end = digits(at);
    if end == at || (end > at + 1 && bytes[at] == b'0') {
        return None;
    }
    let mut integer = true;
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
        integer = false;
    }
    match bytes.get(end) {
        Some(b'e' | b'E') => None,
        _ => Some((end, integer)),
    }
}
