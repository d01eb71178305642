//! Reading JSON text from front to back, without building anything.
//!
//! The grammar is RFC 8259 and, beyond it, the bare words `NaN`, `Infinity` and `-Infinity`, which public taps write. Text is
//! known to be UTF-8, so slices between quotes are text as well.

mod number;

use crate::Word;
use crate::escape::check_escapes;
use crate::sixteen::{self, Sixteen};
pub use number::Number;
use number::usual_number;

/// Objects and arrays may stand in one another so often.
pub const MAX_DEPTH: usize = 128;

/// What is wrong with a text, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct Malformed {
    pub problem: &'static str,
    /// Offset in bytes from the beginning of the record.
    pub at: usize,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug)]
pub struct RawString<'a> {
    pub text: &'a str,
    pub escaped: bool,
}

impl<'a> RawString<'a> {
    /// A string without escapes, of which this is the text with its quotes.
    #[inline(always)]
    pub fn plain(quoted: &'a str) -> Self {
        let text = quoted.get(1..quoted.len().saturating_sub(1));
        Self {
            text: text.unwrap_or_default(),
            escaped: false,
        }
    }
}

/// A place in the text.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Offset in bytes of what comes next.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub fn remaining(&self) -> usize {
        self.text.len().saturating_sub(self.at)
    }

    /// Goes on at another place.
    #[inline]
    pub fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    /// An error at this place.
    pub fn malformed(&self, problem: &'static str) -> Malformed {
        Malformed {
            problem,
            at: self.at,
        }
    }

    /// The next byte that is no white space, not consumed; 0 at the end, which no token begins with.
    #[inline(always)]
    pub fn peek(&mut self) -> u8 {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => *byte,
            _ => self.peek_beyond(),
        }
    }

    /// The same, where the next byte may be white space.
    #[inline]
    fn peek_beyond(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        // Mostly it is one blank.
        match bytes.get(self.at..) {
            Some([b' ', byte, ..]) if *byte > b' ' => {
                self.at += 1;
                *byte
            }
            _ => self.peek_far(),
        }
    }

    #[inline(never)]
    fn peek_far(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        self.at = sixteen::first(bytes, self.at, Sixteen::not_blank);
        bytes.get(self.at).copied().unwrap_or_default()
    }

    /// Consumes the byte that was peeked.
    #[inline]
    pub fn skip_byte(&mut self) {
        self.at += 1;
    }

    #[inline]
    pub fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), Malformed> {
        if self.peek() != byte {
            return Err(self.malformed(problem));
        }
        self.at += 1;
        Ok(())
    }

    /// Nothing but white space may be left.
    pub fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            0 if self.at >= self.text.len() => Ok(()),
            _ => Err(self.malformed("unexpected text behind the value")),
        }
    }

    /// Whether the list that was begun has another element; consumes commas and the closing byte.
    #[inline(always)]
    pub fn another(&mut self, first: bool, close: u8) -> Result<bool, Malformed> {
        match self.text.as_bytes().get(self.at..) {
            // As most programs write it.
            Some([b',', byte, ..]) if !first && *byte > b' ' && *byte != close => {
                self.at += 1;
                Ok(true)
            }
            Some([b',', b' ', byte, ..]) if !first && *byte > b' ' && *byte != close => {
                self.at += 2;
                Ok(true)
            }
            _ => self.another_or_end(first, close),
        }
    }

    #[inline]
    fn another_or_end(&mut self, first: bool, close: u8) -> Result<bool, Malformed> {
        match self.peek() {
            byte if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                // A comma has something behind it.
                match self.peek() == close {
                    true => Err(self.malformed("a value was expected")),
                    false => Ok(true),
                }
            }
            _ => Err(self.malformed("a comma or the end of the list was expected")),
        }
    }

    /// Text of what was read since a position.
    #[inline]
    pub fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The string that begins here, if nothing in it is escaped; else nothing is consumed but white space.
    #[inline(always)]
    pub fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let bytes = self.text.as_bytes();
        let end = plain_until(bytes, self.at + 1);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        let text = self.text.get(self.at + 1..end)?;
        self.at = end + 1;
        Some(text)
    }

    /// The string that begins here.
    #[inline(always)]
    pub fn string(&mut self) -> Result<RawString<'a>, Malformed> {
        match self.plain_string() {
            Some(text) => Ok(RawString {
                text,
                escaped: false,
            }),
            None => self.any_string(),
        }
    }

    #[inline(never)]
    fn any_string(&mut self) -> Result<RawString<'a>, Malformed> {
        self.expect(b'"', "a string was expected")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        let mut at = start;
        loop {
            at = plain_until(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    // Whatever is escaped, its first byte ends no string; the rest is looked at when it is unescaped.
                    at += 2;
                }
                Some(_) => {
                    self.at = at;
                    return Err(self.malformed("a control character stands in a string"));
                }
                None => {
                    self.at = bytes.len();
                    return Err(self.malformed("a string does not end"));
                }
            }
        }
        let Some(text) = self.text.get(start..at) else {
            return Err(self.malformed("an escape is not complete"));
        };
        self.at = at + 1;
        Ok(RawString { text, escaped })
    }

    /// Consumes `word` if it stands here.
    #[inline(always)]
    pub fn word(&mut self, word: &str) -> bool {
        let here = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = here.starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    /// As [`Scanner::word`], for words that are looked for often.
    #[inline(always)]
    pub fn known_word(&mut self, word: &Word) -> bool {
        let here = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = word.begins(here);
        if found {
            self.at += word.length();
        }
        found
    }

    /// Reads over one value and checks that it is well-formed.
    #[inline(always)]
    pub fn skip_value(&mut self, depth: usize) -> Result<(), Malformed> {
        match depth <= MAX_DEPTH && self.usual().is_some() {
            true => Ok(()),
            false => self.skip_list(depth),
        }
    }

    /// The same where no usual value begins.
    #[inline(never)]
    fn skip_list(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth > MAX_DEPTH {
            return Err(self.malformed(TOO_DEEP));
        }
        let close = match self.peek() {
            b'{' => b'}',
            b'[' => b']',
            _ => return self.copy_value(depth, &mut Ignore),
        };
        self.at += 1;
        let mut first = true;
        while self.another(first, close)? {
            first = false;
            if close == b'}' {
                if self.plain_string().is_none() {
                    self.copy_string(&mut Ignore)?;
                }
                self.expect(b':', "a colon was expected")?;
            }
            self.skip_value(depth + 1)?;
        }
        Ok(())
    }

    /// Reads over one value and writes it down without white space. `NaN` and the infinities become `null`.
    pub fn copy_value(&mut self, depth: usize, out: &mut impl Sink) -> Result<(), Malformed> {
        if depth > MAX_DEPTH {
            return Err(self.malformed(TOO_DEEP));
        }
        match self.peek() {
            b'{' => {
                self.at += 1;
                out.put("{");
                let mut first = true;
                while self.another(first, b'}')? {
                    if !first {
                        out.put(",");
                    }
                    first = false;
                    self.copy_string(out)?;
                    self.expect(b':', "a colon was expected")?;
                    out.put(":");
                    self.copy_value(depth + 1, out)?;
                }
                out.put("}");
            }
            b'[' => {
                self.at += 1;
                out.put("[");
                let mut first = true;
                while self.another(first, b']')? {
                    if !first {
                        out.put(",");
                    }
                    first = false;
                    self.copy_value(depth + 1, out)?;
                }
                out.put("]");
            }
            b'"' => self.copy_string(out)?,
            _ => match self.scalar()? {
                Scalar::Null | Scalar::NotFinite => out.put("null"),
                Scalar::Boolean(true) => out.put("true"),
                Scalar::Boolean(false) => out.put("false"),
                Scalar::Number(number) => out.put(number.text),
            },
        }
        Ok(())
    }

    fn copy_string(&mut self, out: &mut impl Sink) -> Result<(), Malformed> {
        let string = self.string()?;
        if string.escaped {
            check_escapes(string.text).map_err(|problem| self.malformed(problem))?;
        }
        out.put("\"");
        out.put(string.text);
        out.put("\"");
        Ok(())
    }

    /// Reads over a value without inner parts that is written as most programs write it: a string without escapes, a number without
    /// an exponent, a word in lower case. `None`, with nothing consumed but white space, for whatever is not, and for what is
    /// malformed: the other functions tell.
    #[inline(always)]
    pub fn usual(&mut self) -> Option<Usual> {
        let bytes = self.text.as_bytes();
        let next = self.peek();
        let (end, usual) = match next {
            b'"' => {
                let end = plain_until(bytes, self.at + 1);
                if bytes.get(end) != Some(&b'"') {
                    return None;
                }
                (end + 1, Usual::String)
            }
            b'0'..=b'9' | b'-' => {
                let (end, integer) = usual_number(bytes, self.at + usize::from(next == b'-'))?;
                let usual = match integer {
                    true => Usual::Integer,
                    false => Usual::Fraction,
                };
                (end, usual)
            }
            b'n' if self.stands_here(b"null") => (self.at + 4, Usual::Null),
            b't' if self.stands_here(b"true") => (self.at + 4, Usual::Boolean),
            b'f' if self.stands_here(b"false") => (self.at + 5, Usual::Boolean),
            _ => return None,
        };
        self.at = end;
        Some(usual)
    }

    #[inline(always)]
    fn stands_here<const N: usize>(&self, word: &[u8; N]) -> bool {
        let here = self.text.as_bytes().get(self.at..);
        here.and_then(<[u8]>::first_chunk) == Some(word)
    }

    /// A value that is neither string nor list.
    #[inline(always)]
    pub fn scalar(&mut self) -> Result<Scalar<'a>, Malformed> {
        match self.peek() {
            b'0'..=b'9' => self.number().map(Scalar::Number),
            b'n' if self.word("null") => Ok(Scalar::Null),
            b't' if self.word("true") => Ok(Scalar::Boolean(true)),
            b'f' if self.word("false") => Ok(Scalar::Boolean(false)),
            _ => self.rare_scalar(),
        }
    }

    #[inline(never)]
    fn rare_scalar(&mut self) -> Result<Scalar<'a>, Malformed> {
        match self.peek() {
            b'-' if self.word("-Infinity") => Ok(Scalar::NotFinite),
            b'-' => self.number().map(Scalar::Number),
            b'N' if self.word("NaN") => Ok(Scalar::NotFinite),
            b'I' if self.word("Infinity") => Ok(Scalar::NotFinite),
            _ => Err(self.malformed("a value was expected")),
        }
    }
}

pub const TOO_DEEP: &str = "objects and arrays are nested too deeply";

/// A value without inner parts.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'a> {
    Null,
    NotFinite,
    Boolean(bool),
    Number(Number<'a>),
}

/// What a value is whose text nobody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    Null,
    Boolean,
    String,
    /// A number with neither fraction nor exponent.
    Integer,
    /// A number with a fraction.
    Fraction,
}

/// Takes a text in pieces.
pub trait Sink {
    fn put(&mut self, piece: &str);
}

impl Sink for Vec<u8> {
    fn put(&mut self, piece: &str) {
        self.extend_from_slice(piece.as_bytes());
    }
}

impl Sink for String {
    fn put(&mut self, piece: &str) {
        self.push_str(piece);
    }
}

struct Ignore;

impl Sink for Ignore {
    fn put(&mut self, _piece: &str) {}
}

/// Index of the first byte from `at` on that does not stand for itself in a string: a quote, a backslash or a control
/// character.
#[inline(always)]
fn plain_until(bytes: &[u8], at: usize) -> usize {
    sixteen::first(bytes, at, Sixteen::not_plain)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{BadString, unescape};

    fn read_over(text: &str) -> Result<String, Malformed> {
        let mut scanner = Scanner::new(text);
        let mut out = String::new();
        let copied = scanner.copy_value(0, &mut out);
        let mut other = Scanner::new(text);
        assert_eq!(other.skip_value(0), copied, "{text}");
        copied?;
        assert_eq!(other.position(), scanner.position(), "{text}");
        scanner.end()?;
        Ok(out)
    }

    #[test]
    fn well_formed_text_is_written_down_without_white_space() {
        for (text, expected) in [
            (
                " { \"a\" : [ 1 , -0.50e+3 , { } , [ ] ] } ",
                "{\"a\":[1,-0.50e+3,{},[]]}",
            ),
            (
                "\"\\u00e4\\ud83d\\ude00 \\\\\\\"\"",
                "\"\\u00e4\\ud83d\\ude00 \\\\\\\"\"",
            ),
            (
                "[NaN,Infinity,-Infinity,null,true,false]",
                "[null,null,null,null,true,false]",
            ),
            (
                "\"a long text with äöü and no escape\"",
                "\"a long text with äöü and no escape\"",
            ),
        ] {
            assert_eq!(read_over(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_json_does_not_allow_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "nul",
            "\"",
            "\"a\nb\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\",
            "1 2",
            "[1 2]",
            "{\"a\" 1}",
            "nan",
            "'a'",
        ] {
            assert!(read_over(text).is_err(), "{text}");
        }
        let deep = "[".repeat(MAX_DEPTH + 2);
        assert_eq!(read_over(&deep).unwrap_err().problem, TOO_DEEP);
    }

    #[test]
    fn strings_are_unescaped_and_half_pairs_are_told() {
        let characters = |text: &str| {
            let raw = Scanner::new(text).string().unwrap();
            unescape(raw).map(Cow::into_owned)
        };
        assert_eq!(
            characters(r#""a\tb\u0000\ud83d\ude00\/""#).unwrap(),
            "a\tb\0😀/"
        );
        for lone in [
            r#""\ud800""#,
            r#""x\udc00y""#,
            r#""\ud800\ud800""#,
            r#""\ud83dA""#,
        ] {
            assert_eq!(characters(lone), Err(BadString::LoneSurrogate), "{lone}");
        }
        assert!(matches!(
            characters(r#""\uZZZZ""#),
            Err(BadString::Malformed(_))
        ));
    }

    #[test]
    fn usual_values_are_those_of_the_other_functions() {
        let texts = [
            "null",
            "true",
            "false",
            "nul",
            "nulL",
            "tru",
            "falsy",
            "NaN",
            "Infinity",
            "-Infinity",
            "-",
            "+1",
            "0",
            "-0",
            "00",
            "01",
            "-01",
            "7",
            "-12",
            "12345678",
            "123456789012",
            "1.5",
            "-0.25",
            "1.",
            "1.x",
            ".5",
            "1e5",
            "1E5",
            "1.5e5",
            "1.25E-7",
            "\"\"",
            "\"a\"",
            "\"a long string of more than eight bytes\"",
            "\"\\n\"",
            "\"",
            "\"ab",
            "\"a\tb\"",
            "\"ä\"",
            "",
            "{}",
            "[]",
        ];
        for text in texts
            .into_iter()
            .flat_map(|text| [text.to_owned(), format!(" {text},"), format!("{text} }}")])
        {
            let mut scanner = Scanner::new(&text);
            let usual = scanner.usual();
            let mut other = Scanner::new(&text);
            let expected = match other.peek() {
                b'"' => other
                    .string()
                    .ok()
                    .filter(|string| !string.escaped)
                    .map(|_| Usual::String),
                _ => match other.scalar() {
                    Ok(Scalar::Null) => Some(Usual::Null),
                    Ok(Scalar::Boolean(_)) => Some(Usual::Boolean),
                    Ok(Scalar::Number(number)) if number.integer => Some(Usual::Integer),
                    Ok(Scalar::Number(number)) if !number.text.contains(['e', 'E']) => {
                        Some(Usual::Fraction)
                    }
                    _ => None,
                },
            };
            assert_eq!(usual, expected, "{text:?}");
            if usual.is_some() {
                assert_eq!(scanner.position(), other.position(), "{text:?}");
            }
        }
    }

    #[test]
    fn the_end_of_plain_text_is_found_at_every_offset() {
        for special in ['"', '\\', '\u{1f}', '\n'] {
            for offset in 0..40 {
                let text = format!("{}{special}tail of some length", "ä".repeat(offset));
                assert_eq!(
                    plain_until(text.as_bytes(), 0),
                    offset * 2,
                    "{special:?} at {offset}"
                );
            }
        }
    }
}
