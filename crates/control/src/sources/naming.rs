//! Names of sources: the schema in the destination, derived from the label.

/// Longest label of a source, in characters.
pub(super) const MAX_DISPLAY_NAME: usize = 255;

/// Names have fewer characters than this.
const NAME_LIMIT: usize = 50;

/// The schema name that follows from a label: trimmed, lower-cased (ASCII), every run of spaces, tabs, hyphens and dots
/// made one `_`, everything else outside `[a-z0-9_$]` dropped. The result need not be a valid name.
pub fn derive(display_name: &str) -> String {
    let mut name = String::with_capacity(display_name.len());
    let mut in_gap = false;
    for character in display_name.trim().chars() {
        let gap = matches!(character, ' ' | '\t' | '-' | '.');
        if gap && !in_gap {
            name.push('_');
        }
        in_gap = gap;
        let character = character.to_ascii_lowercase();
        if allowed(character) {
            name.push(character);
        }
    }
    name
}

/// Whether `name` may be the schema of a source.
pub fn valid(name: &str) -> bool {
    name.len() < NAME_LIMIT
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(allowed)
}

fn allowed(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_derived_from_labels() {
        for (label, name) in [
            ("HubSpot", "hubspot"),
            ("Import API", "import_api"),
            ("Customer Records", "customer_records"),
            ("Import API tokens example", "import_api_tokens_example"),
            ("####", ""),
            ("NAME!!!", "name"),
            ("  padded\t", "padded"),
            ("a - b", "a_b"),
            ("v1.2-beta", "v1_2_beta"),
            ("a & b", "a__b"),
            ("Übersee", "bersee"),
            ("cash$", "cash$"),
        ] {
            assert_eq!(derive(label), name, "{label:?}");
        }
    }

    #[test]
    fn names_are_short_and_start_with_a_letter_or_underscore() {
        for good in ["a", "_", "_1", "shop_db", "a$", &"a".repeat(49)] {
            assert!(valid(good), "{good:?}");
        }
        for bad in ["", "1a", "$a", "A", "a b", "a-b", "ä", &"a".repeat(50)] {
            assert!(!valid(bad), "{bad:?}");
        }
    }
}
