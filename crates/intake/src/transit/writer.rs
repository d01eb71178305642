//! The JSON that comes out.

use std::borrow::Cow;

use selvedge_json::literal;

use super::TransitError;
use super::ground::Ground;

/// How values are written that JSON has no type for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As tagged strings.
    Tagged,
    /// Instants as text, decimals and long integers as numbers.
    Plain,
}

/// A text that does not grow beyond its bound.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    max_bytes: usize,
    pub(super) style: Style,
}

impl Writer {
    pub(super) fn new(capacity: usize, max_bytes: usize) -> Self {
        Self {
            text: String::with_capacity(capacity.min(max_bytes)),
            max_bytes,
            style: Style::Tagged,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Takes everything from `start` on away again.
    pub(super) fn split_off(&mut self, start: usize) -> String {
        self.text.split_off(start)
    }

    #[inline]
    pub(super) fn put(&mut self, json: &str) -> Result<(), TransitError> {
        self.text.push_str(json);
        self.check()
    }

    fn check(&self) -> Result<(), TransitError> {
        match self.text.len() > self.max_bytes {
            true => Err(TransitError::TooLarge(self.text.len())),
            false => Ok(()),
        }
    }

    /// A string without a tag: the name of a member.
    pub(super) fn name(&mut self, name: &str) -> Result<(), TransitError> {
        self.string("", name)
    }

    pub(super) fn ground(&mut self, ground: Ground<'_>) -> Result<(), TransitError> {
        match (ground, self.style) {
            (Ground::Null, _) => self.put("null"),
            (Ground::Boolean(value), _) => self.put(if value { "true" } else { "false" }),
            (Ground::Integer(text), Style::Tagged) if literal::integer(&text).is_none() => {
                self.string("~n", &text)
            }
            (Ground::Integer(text) | Ground::Double(text), _) => self.put(&text),
            (Ground::Decimal(text), Style::Tagged) => self.string("~f", &text),
            (Ground::Decimal(text), Style::Plain) => self.put(&text),
            (Ground::Instant(instant), Style::Tagged) => {
                self.string("~t", &instant.to_micros_string())
            }
            (Ground::Instant(instant), Style::Plain) => {
                self.string("", &instant.to_micros_string())
            }
            (Ground::Text(text), Style::Tagged) if text.starts_with('~') => self.string("~", &text),
            (Ground::Text(text), _) => self.string("", &text),
        }
    }

    /// `prefix` needs no escapes.
    fn string(&mut self, prefix: &str, text: &str) -> Result<(), TransitError> {
        let escaped = escaped(text);
        self.text.reserve(prefix.len() + escaped.len() + 2);
        self.text.push('"');
        self.text.push_str(prefix);
        self.text.push_str(&escaped);
        self.text.push('"');
        self.check()
    }
}

/// What stands between the quotes of a string.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let quoted = serde_json::Value::from(text).to_string();
    Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
}
