//! Sets of key names. Thousands of records of a request mostly name the same ones, in the same words.

use std::collections::{HashMap, HashSet};

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
    /// All sets of the request together have more than [`MAX_NAMES`].
    TooMany,
}

/// Names of all sets of a request that are kept: many times what the tables of a request can have in earnest.
const MAX_NAMES: usize = 100_000;

/// Whether a record has a set of so many names is worth a look before it says which its own are.
const FEW: usize = 16;

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
    name_count: usize,
}

impl<'a> KeySets<'a> {
    pub(super) fn new(strings: Strings) -> Self {
        Self {
            strings,
            sets: Vec::new(),
            by_names: HashMap::new(),
            by_text: HashMap::new(),
            last: ("", 0),
            name_count: 0,
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
        let names = names(text, self.strings, MAX_NAMES - self.name_count)?;
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let id = match self.by_names.get(&sorted) {
            Some(id) => *id,
            None => {
                self.name_count += names.len();
                self.sets.push(names);
                self.by_names.insert(sorted, self.sets.len() - 1);
                self.sets.len() - 1
            }
        };
        self.by_text.insert(text, id);
        Ok(id)
    }

    /// The set that the next record probably has: that of the last one, unless it is large.
    pub(super) fn probable(&self) -> Option<KeySetId> {
        let last = self.sets.get(self.last.1)?;
        (last.len() <= FEW).then_some(self.last.1)
    }

    pub(super) fn names(&self, id: KeySetId) -> &[String] {
        &self.sets[id]
    }
}

fn names(text: &str, strings: Strings, max_names: usize) -> Result<Vec<String>, BadKeyNames> {
    let mut scanner = Scanner::new(text);
    if scanner.peek() != b'[' {
        return Err(match scanner.word("null") {
            true => BadKeyNames::Blank,
            false => BadKeyNames::NotStrings,
        });
    }
    scanner.skip_byte();
    let mut names: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    let mut first = true;
    while scanner.another(first, b']').map_err(not_strings)? {
        first = false;
        let raw = scanner.string().map_err(not_strings)?;
        let name = strings.text(raw).ok_or(BadKeyNames::NotStrings)?;
        if known.insert(name.clone()) {
            if names.len() >= max_names {
                return Err(BadKeyNames::TooMany);
            }
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

    #[test]
    fn names_are_kept_up_to_a_bound() {
        let text = |from: usize, to: usize| {
            let names: Vec<String> = (from..to).map(|number| format!("\"{number}\"")).collect();
            format!("[{}]", names.join(","))
        };
        let texts = [
            text(0, 60_000),
            text(1, 60_000),
            text(0, 40_000),
            text(0, 5),
        ];
        let mut sets = KeySets::new(Strings::Plain);
        assert_eq!(sets.find(&texts[0]), Ok(0));
        assert_eq!(sets.probable(), None);
        assert_eq!(sets.find(&texts[1]), Err(BadKeyNames::TooMany));
        assert_eq!(sets.find(&texts[2]), Ok(1));
        assert_eq!(sets.find(&texts[3]), Err(BadKeyNames::TooMany));
        assert_eq!(sets.find(&texts[0]), Ok(0));
    }
}
