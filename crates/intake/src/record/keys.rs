//! The values of a record's key.

use selvedge_json::RawString;

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
        if string.text.len() <= MAX_KEY_CHARACTERS || characters(string) <= MAX_KEY_CHARACTERS {
            Self::Present
        } else {
            Self::TooLong
        }
    }
}

/// The fields of a key and what the record that was read last has for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys<'n> {
    names: &'n [String],
    values: Vec<KeyValue>,
}

impl<'n> Keys<'n> {
    pub(crate) fn new(names: &'n [String]) -> Self {
        Self {
            names,
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
        self.names.iter().position(|key| key == name)
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

/// Characters that stand between the quotes, an escape for one.
pub(crate) fn characters(string: RawString<'_>) -> usize {
    match string.escaped {
        false => string.text.chars().count(),
        true => selvedge_json::unescape(string).map_or(0, |text| text.chars().count()),
    }
}
