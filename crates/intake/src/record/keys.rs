//! The values of a record's key.

use std::collections::HashMap;

use selvedge_json::{RawString, Scanner};

/// Characters of a string that is part of a key.
pub(crate) const MAX_KEY_CHARACTERS: usize = 1024;

/// What a record has for one field of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KeyValue {
    #[default]
    Absent,
    /// `null`, or what counts as such.
    Null,
    /// A string of more than [`MAX_KEY_CHARACTERS`].
    TooLong,
    Present,
}

impl KeyValue {
    /// What a string is as part of a key.
    #[inline]
    pub(crate) fn of_string(string: RawString<'_>) -> Self {
        // No character is longer than its text.
        if string.text.len() <= MAX_KEY_CHARACTERS || count_characters(string) <= MAX_KEY_CHARACTERS
        {
            Self::Present
        } else {
            Self::TooLong
        }
    }

    /// What the value is that was read over just now: it begins with `first` at `start`.
    #[inline(always)]
    pub(crate) fn of_read(first: u8, start: usize, scanner: &Scanner<'_>) -> Self {
        // Nearly all are.
        let known = match first {
            b'n' | b'N' | b'I' | b'-' => false,
            b'"' => scanner.position() - start <= MAX_KEY_CHARACTERS,
            _ => true,
        };
        match known {
            true => Self::Present,
            false => Self::of_rare(first, start, scanner),
        }
    }

    #[inline(never)]
    fn of_rare(first: u8, start: usize, scanner: &Scanner<'_>) -> Self {
        let mut scanner = scanner.clone();
        scanner.go_to(start);
        match first {
            b'n' | b'N' | b'I' => Self::Null,
            b'-' if scanner.word("-Infinity") => Self::Null,
            b'"' => scanner.string().map_or(Self::Absent, Self::of_string),
            _ => Self::Present,
        }
    }
}

/// From here on a table finds a field more quickly than looking through all.
const MANY: usize = 16;

/// The fields of a key and what the record that was read last has for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys<'n> {
    names: &'n [String],
    /// Where each name stands, if there are many.
    positions: HashMap<&'n str, usize>,
    values: Vec<KeyValue>,
}

impl<'n> Keys<'n> {
    pub(crate) fn new(names: &'n [String]) -> Self {
        let numbered = names.iter().map(String::as_str).zip(0..);
        Self {
            names,
            positions: match names.len() > MANY {
                true => numbered.collect(),
                false => HashMap::new(),
            },
            values: vec![KeyValue::Absent; names.len()],
        }
    }

    /// Begins a record.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.values.fill(KeyValue::Absent);
    }

    /// Which field of the key this is.
    #[inline]
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        match self.positions.is_empty() {
            true => self.names.iter().position(|key| key == name),
            false => self.positions.get(name).copied(),
        }
    }

    /// Notes what the record has for a field of the key.
    #[inline]
    pub(crate) fn set(&mut self, position: usize, value: KeyValue) {
        if let Some(slot) = self.values.get_mut(position) {
            *slot = value;
        }
    }

    /// Whether the record has a key that can be kept.
    #[inline]
    pub(crate) fn are_good(&self) -> bool {
        self.values.iter().all(|value| *value == KeyValue::Present)
    }

    /// The fields in the order of their names, and what the record has for them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'n str, KeyValue)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.values.iter().copied())
    }
}

/// Characters of a string, an escape for one.
pub(crate) fn count_characters(string: RawString<'_>) -> usize {
    match string.escaped {
        false => string.text.chars().count(),
        true => selvedge_json::unescape(string).map_or(0, |text| text.chars().count()),
    }
}
