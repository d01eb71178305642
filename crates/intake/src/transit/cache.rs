//! The rolling cache: strings that came before are named by codes of two or three characters.
//!
//! See "Rolling Cache Coding" in <https://github.com/cognitect/transit-format>. Characters are counted as UTF-16 code units,
//! as the reference implementations do.

/// A code is of one or two of so many characters, from [`FIRST`] on.
const DIGITS: usize = 44;
const FIRST: u8 = b'0';
/// Then writer and reader begin anew.
const MAX_ENTRIES: usize = DIGITS * DIGITS;
/// Shorter strings are not worth a code.
const MIN_CHARACTERS: usize = 4;

/// Whether a string is a code, unlike `^ `, which marks maps.
#[inline]
pub(super) fn is_code(wire: &str) -> bool {
    wire.starts_with('^') && wire != "^ "
}

/// Whether a string that is no code gets one. `is_name`: it stands where maps have their keys.
#[inline]
pub(super) fn is_cacheable(wire: &str, is_name: bool) -> bool {
    let has_sigil = matches!(wire.as_bytes(), [b'~', b'#' | b'$' | b':', ..]);
    if !is_name && !has_sigil {
        return false;
    }
    match wire.as_bytes().get(..MIN_CHARACTERS) {
        Some(first) if first.is_ascii() => true,
        _ => wire.encode_utf16().take(MIN_CHARACTERS).count() == MIN_CHARACTERS,
    }
}

/// Entries by the index that their codes stand for.
#[derive(Debug)]
pub(super) struct Cache<T> {
    entries: Vec<T>,
}

impl<T> Cache<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Gives the next code to `entry`.
    pub(super) fn push(&mut self, entry: T) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.clear();
        }
        self.entries.push(entry);
    }

    /// What a code stands for, if anything.
    pub(super) fn get(&self, code: &str) -> Option<&T> {
        let digit = |byte: u8| {
            let digit = usize::from(byte.checked_sub(FIRST)?);
            (digit < DIGITS).then_some(digit)
        };
        let index = match code.as_bytes() {
            [b'^', low] => digit(*low)?,
            [b'^', high, low] => digit(*high)? * DIGITS + digit(*low)?,
            _ => return None,
        };
        self.entries.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_from_48_in_base_44_and_begin_anew_after_1936() {
        let mut cache = Cache::new();
        for number in 0..MAX_ENTRIES {
            cache.push(number);
        }
        for (code, expected) in [
            ("^0", Some(0)),
            ("^1", Some(1)),
            ("^[", Some(43)),
            ("^10", Some(44)),
            ("^11", Some(45)),
            ("^[[", Some(1935)),
            ("^\\", None),
            ("^/", None),
            ("^", None),
            ("^000", None),
        ] {
            assert_eq!(cache.get(code).copied(), expected, "{code}");
        }
        cache.push(7_000);
        assert_eq!(cache.get("^0"), Some(&7_000));
        assert_eq!(cache.get("^1"), None, "the old entries are gone");
    }

    #[test]
    fn names_and_strings_with_a_sigil_are_cached_from_four_characters_on() {
        for (wire, is_name, expected) in [
            ("abcd", true, true),
            ("abc", true, false),
            ("abcd", false, false),
            ("~:ab", false, true),
            ("~:a", false, false),
            ("~$ab", false, true),
            ("~#ab", false, true),
            ("~#'", false, false),
            ("~t2024-01-01", false, false),
            ("~~abc", true, true),
            ("äöü", true, false),
            ("😀😀", true, true),
        ] {
            assert_eq!(is_cacheable(wire, is_name), expected, "{wire} {is_name}");
        }
        assert!(is_code("^0"));
        assert!(!is_code("^ "));
        assert!(!is_code("~^0"));
    }
}
