//! The characters of a string: what its escapes stand for.

use std::borrow::Cow;

use crate::RawString;

/// Why a string has no characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadString {
    /// Its escapes are not JSON's.
    Malformed(&'static str),
    /// JSON, but half of a surrogate pair is no character.
    LoneSurrogate,
}

/// The characters of a string.
#[inline]
pub fn unescape(string: RawString<'_>) -> Result<Cow<'_, str>, BadString> {
    match string.escaped {
        false => Ok(Cow::Borrowed(string.text)),
        true => unescaped(string).map(Cow::Owned),
    }
}

fn unescaped(string: RawString<'_>) -> Result<String, BadString> {
    let mut text = String::with_capacity(string.text.len());
    let mut lone = false;
    each_character(string.text, |piece| match piece {
        Piece::Plain(plain) => text.push_str(plain),
        Piece::Character(character) => text.push(character),
        Piece::LoneSurrogate => lone = true,
    })
    .map_err(BadString::Malformed)?;
    match lone {
        true => Err(BadString::LoneSurrogate),
        false => Ok(text),
    }
}

/// Whether a string has characters, without making them.
pub fn check(string: RawString<'_>) -> Result<(), BadString> {
    let mut lone = false;
    each_character(string.text, |piece| {
        lone |= matches!(piece, Piece::LoneSurrogate)
    })
    .map_err(BadString::Malformed)?;
    match lone {
        true => Err(BadString::LoneSurrogate),
        false => Ok(()),
    }
}

pub(crate) fn check_escapes(text: &str) -> Result<(), &'static str> {
    each_character(text, |_| {})
}

enum Piece<'a> {
    Plain(&'a str),
    Character(char),
    LoneSurrogate,
}

fn each_character<'a>(
    mut text: &'a str,
    mut take: impl FnMut(Piece<'a>),
) -> Result<(), &'static str> {
    const INCOMPLETE: &str = "an escape is not complete";
    while let Some((plain, escape)) = text.split_once('\\') {
        if !plain.is_empty() {
            take(Piece::Plain(plain));
        }
        let mut characters = escape.chars();
        let character = match characters.next().ok_or(INCOMPLETE)? {
            same @ ('"' | '\\' | '/') => same,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = code_unit(escape.get(1..5).ok_or(INCOMPLETE)?)?;
                let mut rest = &escape[5..];
                let piece = match unit {
                    0xd800..=0xdbff => {
                        let low = rest
                            .strip_prefix("\\u")
                            .and_then(|rest| rest.get(..4))
                            .and_then(|digits| code_unit(digits).ok())
                            .filter(|low| (0xdc00..=0xdfff).contains(low));
                        match low {
                            Some(low) => {
                                rest = &rest[6..];
                                let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                                char::from_u32(code)
                            }
                            None => None,
                        }
                    }
                    // Not a low surrogate, or `from_u32` says so.
                    _ => char::from_u32(unit),
                };
                take(piece.map_or(Piece::LoneSurrogate, Piece::Character));
                text = rest;
                continue;
            }
            _ => return Err("an escape is not one of JSON's"),
        };
        take(Piece::Character(character));
        text = characters.as_str();
    }
    if !text.is_empty() {
        take(Piece::Plain(text));
    }
    Ok(())
}

fn code_unit(digits: &str) -> Result<u32, &'static str> {
    // `from_str_radix` alone would take a sign.
    match digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => u32::from_str_radix(digits, 16).map_err(|_| "an escape is not complete"),
        false => Err("an escape is not complete"),
    }
}
