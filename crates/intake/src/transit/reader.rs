//! Reading the text from front to back.

use std::borrow::Cow;

use selvedge_json::{BadString, MAX_DEPTH, Scalar, Scanner, TOO_DEEP, unescape};

use super::TransitError;
use super::cache::{Cache, is_cacheable, is_code};
use super::ground::{Ground, shortened};
use super::writer::{Style, Writer};

/// Lists of the text that may stand in one another. A list of Transit is two of JSON, an array with a tag and an array, so
/// that these are more than JSON's; those are counted when the records are looked at.
const MAX_TEXT_DEPTH: usize = 2 * MAX_DEPTH + 8;

/// Marks an array as a map.
const MAP: &str = "^ ";

const KEY_ALONE: &str = "a map has a key without a value";

#[derive(Debug)]
pub(super) struct Reader<'a> {
    scanner: Scanner<'a>,
    cache: Cache<Cow<'a, str>>,
    writer: Writer,
    /// Bytes of names that were made of lists.
    name_bytes: usize,
    max_bytes: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, max_bytes: usize) -> Self {
        Self {
            scanner: Scanner::new(text),
            cache: Cache::new(),
            writer: Writer::new(text.len(), max_bytes),
            name_bytes: 0,
            max_bytes,
        }
    }

    pub(super) fn read(mut self) -> Result<String, TransitError> {
        self.value(0)?;
        self.scanner.end()?;
        Ok(self.writer.into_text())
    }

    fn value(&mut self, depth: usize) -> Result<(), TransitError> {
        if depth > MAX_TEXT_DEPTH {
            return Err(self.scanner.malformed(TOO_DEEP).into());
        }
        match self.scanner.peek() {
            b'"' => {
                let wire = self.string(false)?;
                self.ground(&wire)
            }
            b'[' => {
                self.scanner.skip_byte();
                self.array(depth + 1)
            }
            b'{' => {
                self.scanner.skip_byte();
                self.object(depth + 1)
            }
            _ => {
                let start = self.scanner.clone();
                match self.scanner.scalar()? {
                    Scalar::Null => self.writer.put("null"),
                    Scalar::Boolean(true) => self.writer.put("true"),
                    Scalar::Boolean(false) => self.writer.put("false"),
                    Scalar::Number(number) => self.writer.put(number.text),
                    Scalar::NotFinite => Err(start.malformed("a value was expected").into()),
                }
            }
        }
    }

    /// The string that begins here; what it stands for where it is a code.
    fn string(&mut self, is_name: bool) -> Result<Cow<'a, str>, TransitError> {
        let raw = self.scanner.string()?;
        let wire = unescape(raw).map_err(|bad| match bad {
            BadString::Malformed(problem) => self.scanner.malformed(problem).into(),
            BadString::LoneSurrogate => TransitError::LoneSurrogate,
        })?;
        if is_code(&wire) {
            let known = self.cache.get(&wire).cloned();
            return known.ok_or_else(|| TransitError::UnknownCode(shortened(&wire)));
        }
        if is_cacheable(&wire, is_name) {
            self.cache.push(wire.clone());
        }
        Ok(wire)
    }

    fn ground(&mut self, wire: &str) -> Result<(), TransitError> {
        if wire == MAP {
            let misplaced = "the mark of a map stands where a value was expected";
            return Err(self.scanner.malformed(misplaced).into());
        }
        self.writer.ground(Ground::of(wire)?)
    }

    /// What follows an opening bracket. The first item says what the array is, if it does not just belong to it.
    fn array(&mut self, depth: usize) -> Result<(), TransitError> {
        if self.scanner.peek() != b'"' {
            return self.items(depth, None);
        }
        let first = self.string(false)?;
        if first == MAP {
            self.writer.put("{")?;
            let mut is_first = true;
            while self.scanner.another(false, b']')? {
                self.comma(is_first)?;
                is_first = false;
                self.name(depth, true)?;
                self.scanner.expect(b',', KEY_ALONE)?;
                self.value(depth)?;
            }
            return self.writer.put("}");
        }
        match first.strip_prefix("~#") {
            Some(tag) => {
                self.scanner.expect(b',', "a tag has no value")?;
                self.tagged(tag, depth)?;
                Ok(self.scanner.expect(b']', "a tag has several values")?)
            }
            None => self.items(depth, Some(first)),
        }
    }

    /// Items up to and with the closing bracket; the first one may have been read.
    fn items(&mut self, depth: usize, first: Option<Cow<'a, str>>) -> Result<(), TransitError> {
        self.writer.put("[")?;
        let mut is_first = first.is_none();
        if let Some(wire) = first {
            self.ground(&wire)?;
        }
        while self.scanner.another(is_first, b']')? {
            self.comma(is_first)?;
            is_first = false;
            self.value(depth)?;
        }
        self.writer.put("]")
    }

    /// What follows an opening brace.
    fn object(&mut self, depth: usize) -> Result<(), TransitError> {
        let mut is_first = true;
        while self.scanner.another(is_first, b'}')? {
            let name = self.string(true)?;
            self.scanner.expect(b':', "a colon was expected")?;
            if let Some(tag) = name.strip_prefix("~#").filter(|_| is_first) {
                self.tagged(tag, depth)?;
                return Ok(self.scanner.expect(b'}', "a tag has several values")?);
            }
            self.writer.put(if is_first { "{" } else { "," })?;
            is_first = false;
            self.ground_name(&name)?;
            self.writer.put(":")?;
            self.value(depth)?;
        }
        self.writer.put(if is_first { "{}" } else { "}" })
    }

    /// The value behind a tag.
    fn tagged(&mut self, tag: &str, depth: usize) -> Result<(), TransitError> {
        match tag {
            "'" => self.value(depth),
            "list" | "set" => {
                self.scanner.expect(b'[', "an array was expected")?;
                self.items(depth + 1, None)
            }
            "cmap" => {
                self.scanner.expect(b'[', "an array was expected")?;
                self.writer.put("{")?;
                let mut is_first = true;
                while self.scanner.another(is_first, b']')? {
                    self.comma(is_first)?;
                    is_first = false;
                    self.name(depth + 1, false)?;
                    self.scanner.expect(b',', KEY_ALONE)?;
                    self.value(depth + 1)?;
                }
                self.writer.put("}")
            }
            _ => Err(TransitError::UnknownTag(shortened(tag))),
        }
    }

    /// The key of a map that is an array, as the name of a member. `cached`: it gets a code as names do.
    fn name(&mut self, depth: usize, cached: bool) -> Result<(), TransitError> {
        if self.scanner.peek() == b'"' {
            let wire = self.string(cached)?;
            self.ground_name(&wire)?;
            return self.writer.put(":");
        }
        let start = self.writer.len();
        let style = std::mem::replace(&mut self.writer.style, Style::Plain);
        self.value(depth)?;
        self.writer.style = style;
        let text = self.writer.split_off(start);
        // Lists that are names in names would otherwise be written anew without end.
        self.name_bytes += text.len();
        if self.name_bytes > self.max_bytes {
            return Err(TransitError::TooLarge(self.name_bytes));
        }
        match text.starts_with('"') {
            true => self.writer.put(&text)?,
            false => self.writer.name(&text)?,
        }
        self.writer.put(":")
    }

    fn ground_name(&mut self, wire: &str) -> Result<(), TransitError> {
        self.writer.name(&Ground::of(wire)?.into_text())
    }

    fn comma(&mut self, is_first: bool) -> Result<(), TransitError> {
        match is_first {
            true => Ok(()),
            false => self.writer.put(","),
        }
    }
}
