//! What a value does not conform to, in the words of the validator that the contract quotes.

use selvedge_json::{RawString, Scalar, unescape};

use super::rules::{Bound, Kinds};
use crate::kind::Kind;

/// Characters of a value that are shown.
const SHOWN: usize = 200;

/// What is wrong with one value, and where in its record that stands.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// Names of members and indices of items, innermost first.
    path: Vec<String>,
    text: String,
}

impl Mismatch {
    pub(super) fn new(text: String) -> Self {
        Self {
            path: Vec::new(),
            text,
        }
    }

    /// The same, seen from the list around it.
    pub(super) fn within(mut self, segment: String) -> Self {
        self.path.push(segment);
        self
    }

    /// Where and what: a JSON pointer, then the words.
    pub(super) fn describe(&self) -> String {
        let mut description = "#".to_owned();
        for segment in self.path.iter().rev() {
            description.push('/');
            description.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        }
        description.push_str(": ");
        description.push_str(&self.text);
        description
    }

    pub(super) fn wrong_type(expected: Kinds, found: Kind) -> Self {
        let (expected, found) = (expected.names(), found.name());
        Self::new(format!("expected: {expected}, found: {found}"))
    }

    pub(super) fn required(name: &str) -> Self {
        Self::new(format!("required key [{name}] not found"))
    }

    pub(super) fn extraneous(name: &str) -> Self {
        Self::new(format!("extraneous key [{name}] is not permitted"))
    }

    pub(super) fn member_count(limit: u64, found: usize) -> Self {
        let bound = if (found as u64) < limit {
            "minimum"
        } else {
            "maximum"
        };
        Self::new(format!("{bound} size: [{limit}], found: [{found}]"))
    }

    pub(super) fn item_count(limit: u64, found: usize) -> Self {
        let bound = if (found as u64) < limit {
            "minimum"
        } else {
            "maximum"
        };
        Self::new(format!(
            "expected {bound} item count: {limit}, found: {found}"
        ))
    }

    pub(super) fn additional_items(limit: usize) -> Self {
        Self::new(format!("expected: [{limit}] array items, found more"))
    }

    pub(super) fn not_unique() -> Self {
        Self::new("array items are not unique".to_owned())
    }

    pub(super) fn length(limit: u64, found: u64) -> Self {
        let bound = if found < limit {
            "minLength"
        } else {
            "maxLength"
        };
        Self::new(format!("expected {bound}: {limit}, actual: {found}"))
    }

    pub(super) fn pattern(string: RawString<'_>, pattern: &str) -> Self {
        Self::new(format!(
            "string [{}] does not match pattern {pattern}",
            of_string(string)
        ))
    }

    pub(super) fn format(string: RawString<'_>, format: &str) -> Self {
        Self::new(format!("[{}] is not a valid {format}", of_string(string)))
    }

    pub(super) fn bound(number: &str, bound: &Bound) -> Self {
        let relation = match (bound.lower, bound.exclusive) {
            (true, false) => "greater or equal to",
            (true, true) => "greater than",
            (false, false) => "less or equal to",
            (false, true) => "less than",
        };
        let (number, limit) = (shown(number), shown(&bound.literal));
        Self::new(format!("{number} is not {relation} {limit}"))
    }

    pub(super) fn multiple(number: &str, divisor: &str) -> Self {
        let (number, divisor) = (shown(number), shown(divisor));
        Self::new(format!("{number} is not a multiple of {divisor}"))
    }

    pub(super) fn not_listed(value: &str) -> Self {
        Self::new(format!("{value} is not a valid enum value"))
    }

    pub(super) fn not_constant(value: &str) -> Self {
        Self::new(format!("{value} is not the value that is permitted"))
    }

    pub(super) fn none_matched(members: usize) -> Self {
        Self::new(format!(
            "no subschema matched out of the total {members} subschemas"
        ))
    }

    pub(super) fn not_one_matched(matched: usize) -> Self {
        Self::new(format!("{matched} subschemas matched instead of one"))
    }

    pub(super) fn matched_negated() -> Self {
        Self::new("subject must not be valid against the schema of not".to_owned())
    }

    pub(super) fn nothing_conforms() -> Self {
        Self::new("false schema always fails".to_owned())
    }
}

/// A string as refusals show it.
pub(super) fn of_string(string: RawString<'_>) -> String {
    shown(&unescape(string).unwrap_or(string.text.into()))
}

/// Any other scalar as refusals show it.
pub(super) fn of_scalar(scalar: Scalar<'_>) -> String {
    match scalar {
        Scalar::Null | Scalar::NotFinite => "null".to_owned(),
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Number(number) => shown(number.text),
    }
}

/// As much of a text as is shown.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
