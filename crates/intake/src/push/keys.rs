//! Sets of key names. Thousands of records of a request mostly name the same ones, in the same words.

use std::collections::HashMap;

use selvedge_json::{Malformed, Scanner};

use super::text::Strings;

/// Index in [`KeySets`].
pub(super) type KeySetId = usize;

/// What is wrong with `key_names`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadKeyNames {
    /// There are none.
    Blank,
    /// No array, or items that are no strings.
    NotStrings,
}

/// All sets of a request.
#[derive(Debug)]
pub(super) struct KeySets<'a> {
    strings: Strings,
    /// As declared first, each name once.
    sets: Vec<Vec<String>>,
    /// By sorted names: the order does not tell sets apart.
    by_names: HashMap<Vec<String>, KeySetId>,
    /// By the text of the argument.
    by_text: HashMap<&'a str, KeySetId>,
    last: (&'a str, KeySetId),
}

impl<'a> KeySets<'a> {
    pub(super) fn new(strings: Strings) -> Self {
        Self {
            strings,
            sets: Vec::new(),
            by_names: HashMap::new(),
            by_text: HashMap::new(),
            last: ("", 0),
        }
    }

    /// The set that `text` names, which is JSON.
    pub(super) fn find(&mut self, text: &'a str) -> Result<KeySetId, BadKeyNames> {
        if self.last.0 == text {
            return Ok(self.last.1);
        }
        let known = self.by_text.get(text).copied();
        let id = match known {
            Some(id) => id,
            None => self.add(text)?,
        };
        self.last = (text, id);
        Ok(id)
    }

    fn add(&mut self, text: &'a str) -> Result<KeySetId, BadKeyNames> {
        let names = names(text, self.strings)?;
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let sets = &mut self.sets;
        let id = *self.by_names.entry(sorted).or_insert_with(|| {
            sets.push(names);
            sets.len() - 1
        });
        self.by_text.insert(text, id);
        Ok(id)
    }

    /// The set of the last record, if there was one.
    pub(super) fn last(&self) -> Option<KeySetId> {
        (!self.sets.is_empty()).then_some(self.last.1)
    }

    pub(super) fn names(&self, id: KeySetId) -> &[String] {
        &self.sets[id]
    }
}

fn names(text: &str, strings: Strings) -> Result<Vec<String>, BadKeyNames> {
    let mut scanner = Scanner::new(text);
    if scanner.peek() != b'[' {
        return Err(match scanner.word("null") {
            true => BadKeyNames::Blank,
            false => BadKeyNames::NotStrings,
        });
    }
    scanner.skip_byte();
    let mut names: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let mut first = true;
    while scanner.another(first, b']').map_err(not_strings)? {
        first = false;
        let raw = scanner.string().map_err(not_strings)?;
        let name = strings.text(raw).ok_or(BadKeyNames::NotStrings)?;
        if known.insert(name.clone()) {
            names.push(name.into_owned());
        }
    }
    match names.is_empty() {
        true => Err(BadKeyNames::Blank),
        false => Ok(names),
    }
}

/// The text was read before, so that whatever does not fit is a value of another type.
fn not_strings(_: Malformed) -> BadKeyNames {
    BadKeyNames::NotStrings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_told_apart_by_their_names_not_by_their_order() {
        let mut sets = KeySets::new(Strings::Plain);
        let first = sets.find(r#"["b","a","b"]"#).unwrap();
        assert_eq!(sets.find(r#"[ "a" , "\u0062" ]"#), Ok(first));
        assert_ne!(sets.find(r#"["a"]"#), Ok(first));
        assert_eq!(sets.find(r#"["b","a","b"]"#), Ok(first));
        assert_eq!(sets.names(first), ["b", "a"]);
    }

    #[test]
    fn what_names_no_keys_is_told() {
        for (text, expected) in [
            ("null", BadKeyNames::Blank),
            ("[]", BadKeyNames::Blank),
            (r#""id""#, BadKeyNames::NotStrings),
            ("[1]", BadKeyNames::NotStrings),
            (r#"["id",null]"#, BadKeyNames::NotStrings),
            (r#"{"id":1}"#, BadKeyNames::NotStrings),
        ] {
            assert_eq!(
                KeySets::new(Strings::Plain).find(text),
                Err(expected),
                "{text}"
            );
        }
    }
}
