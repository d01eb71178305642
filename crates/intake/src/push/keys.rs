//! Sets of key names. Thousands of records of a request mostly name the same ones, in the same words.

use std::borrow::Cow;
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
    /// By sorted names: the order does not tell sets apart. Empty while there is one set only, as in most requests.
    by_names: HashMap<Vec<String>, KeySetId>,
    /// By the text of the argument, once there are several sets.
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
        if let [only] = &*self.sets
            && self.by_names.is_empty()
        {
            self.by_names.insert(sorted(only), 0);
            self.by_text.insert(self.last.0, 0);
        }
        let names = names(text, self.strings, MAX_NAMES - self.name_count)?;
        let is_first = self.sets.is_empty();
        let known = match is_first {
            true => None,
            false => self.by_names.get(&sorted(&names)).copied(),
        };
        let id = known.unwrap_or(self.sets.len());
        if !is_first {
            self.by_names.insert(sorted(&names), id);
            self.by_text.insert(text, id);
        }
        if known.is_none() {
            self.name_count += names.len();
            self.sets.push(names);
        }
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
    // Of more than a few.
    let mut known = HashSet::new();
    let mut first = true;
    while scanner.another(first, b']').map_err(not_strings)? {
        first = false;
        let raw = scanner.string().map_err(not_strings)?;
        let name = strings.text(raw).ok_or(BadKeyNames::NotStrings)?;
        if names.len() == FEW && known.is_empty() {
            known.extend(names.iter().cloned().map(Cow::Owned));
        }
        let is_known = match known.is_empty() {
            true => names.iter().any(|known| *known == name),
            false => !known.insert(name.clone()),
        };
        if is_known {
            continue;
        }
        if names.len() >= max_names {
            return Err(BadKeyNames::TooMany);
        }
        names.push(name.into_owned());
    }
    match names.is_empty() {
        true => Err(BadKeyNames::Blank),
        false => Ok(names),
    }
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    sorted
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
    fn the_first_set_is_found_again_behind_others() {
        let mut sets = KeySets::new(Strings::Plain);
        let texts = [r#"["a"]"#, r#"["b"]"#, r#"["a"]"#, r#"[ "a"]"#, r#"["b"]"#];
        let found: Vec<_> = texts.iter().map(|text| sets.find(text).unwrap()).collect();
        assert_eq!(found, [0, 1, 0, 0, 1]);
    }

    #[test]
    fn a_name_counts_once_among_few_and_among_many() {
        for count in [2, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let mut expected: Vec<String> = (0..count).map(|name| name.to_string()).collect();
            let twice = [&expected[..], &expected[..]].concat();
            let text = serde_json::to_string(&twice).unwrap();
            let mut sets = KeySets::new(Strings::Plain);
            let id = sets.find(&text).unwrap();
            assert_eq!(sets.names(id), expected);
            expected.reverse();
            let text = serde_json::to_string(&expected).unwrap();
            assert_eq!(sets.find(&text), Ok(id));
        }
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
