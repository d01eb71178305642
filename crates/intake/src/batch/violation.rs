//! The texts of what a batch does wrong, apart from what its records say about their schema.

use serde_json::json;

use crate::Refusal;
use crate::kind::Kind;

/// Something that the contract does not allow, in its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    text: String,
}

impl Violation {
    fn request(text: &str) -> Self {
        Self {
            text: format!("Request failed validation:{text}"),
        }
    }

    pub(super) fn required(argument: &str) -> Self {
        Self::request(&format!("#: required key [{argument}] not found"))
    }

    pub(super) fn extraneous(argument: &str) -> Self {
        let text = format!("#: extraneous key [{argument}] is not permitted");
        Self::request(&text)
    }

    /// `place` is empty for the body itself.
    pub(super) fn wrong_type(place: &str, expected: &str, found: Kind) -> Self {
        let found = found.name();
        let text = format!("#{place}: expected type: {expected}, found: {found}");
        Self::request(&text)
    }

    pub(super) fn no_messages() -> Self {
        let text = "#/messages: expected minimum item count: 1, found: 0";
        Self::request(text)
    }

    pub(super) fn too_many_messages(count: usize) -> Self {
        let limit = super::MAX_MESSAGES;
        let text = format!("#/messages: expected maximum item count: {limit}, found: {count}");
        Self::request(&text)
    }

    pub(super) fn blank_table_name() -> Self {
        let text = "#/table_name: expected minLength: 1, actual: 0";
        Self::request(text)
    }

    pub(super) fn unknown_key(key: &str) -> Self {
        let text = format!("#/key_names: key property [{key}] not found in schema");
        Self::request(&text)
    }

    /// An integer of the root or of a message beyond 64 bits.
    pub(super) fn out_of_range(argument: &str, literal: &str) -> Self {
        let text = match literal.starts_with('-') {
            false => format!("#: {argument} can not be above {}", i64::MAX),
            true => format!("#: {argument} can not be below {}", i64::MIN),
        };
        Self::request(&text)
    }

    pub(super) fn message(index: usize, violation: &MessageViolation) -> Self {
        let at = format!("#/messages/{index}");
        let text = match violation {
            MessageViolation::NotAnObject(found) => {
                format!("{at}: expected type: JSONObject, found: {}", found.name())
            }
            MessageViolation::Lacks(argument) => format!(
                "{at}: #: 0 subschemas matched instead of one {at}: 2 schema violations found \
                 {at}: required key [{argument}] not found {at}: extraneous key [data] is not \
                 permitted {at}: required key [{argument}] not found"
            ),
            MessageViolation::Extraneous(member) => {
                format!("{at}: extraneous key [{member}] is not permitted")
            }
            MessageViolation::WrongType(member, expected, found) => {
                let found = found.name();
                format!("{at}/{member}: expected type: {expected}, found: {found}")
            }
            MessageViolation::UnknownAction(action) => {
                format!("{at}/action: {action} is not a valid enum value")
            }
            MessageViolation::NotAnInstant(text) => {
                format!("{at}/time_extracted: [{text}] is not a valid date-time")
            }
            MessageViolation::SequenceOutOfRange(literal) => {
                return Self::out_of_range("sequence", literal);
            }
        };
        Self::request(&text)
    }

    pub(super) fn invalid_schema(problem: &str) -> Self {
        Self {
            text: format!("Invalid JSON schema: {problem}"),
        }
    }

    pub(super) fn long_schema() -> Self {
        let limit = super::MAX_SCHEMA_BYTES;
        Self::invalid_schema(&format!("it has more than {limit} bytes"))
    }

    /// The records are to blame as well, but the schema is what to change.
    pub(super) fn exhausted() -> Self {
        Self::invalid_schema("checking the records against it takes too long")
    }

    fn record(text: String) -> Self {
        Self { text }
    }

    pub(super) fn missing_key(key: &str) -> Self {
        Self::record(format!("Record is missing key property {key}"))
    }

    pub(super) fn long_key() -> Self {
        let limit = crate::record::MAX_KEY_CHARACTERS;
        Self::record(format!(
            "String keys cannot be longer than {limit} characters"
        ))
    }

    pub(super) fn too_many_data_points(index: usize) -> Self {
        let limit = crate::record::MAX_DATA_POINTS;
        Self::record(format!("Record {index} has more than {limit} data points"))
    }

    /// `mismatch` says where and how, if that is known.
    pub(super) fn nonconforming(index: usize, mismatch: Option<String>) -> Self {
        let text = format!("Record {index} did not conform to schema");
        Self::record(match mismatch {
            Some(mismatch) => format!("{text}: {mismatch}"),
            None => text,
        })
    }

    pub(super) fn into_refusal(self) -> Refusal {
        Refusal::new(400, json!({ "error": self.text }))
    }
}

/// What is wrong with one message, its record apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MessageViolation {
    NotAnObject(Kind),
    Lacks(&'static str),
    Extraneous(String),
    WrongType(&'static str, &'static str, Kind),
    UnknownAction(String),
    NotAnInstant(String),
    /// The literal.
    SequenceOutOfRange(String),
}

/// The answer to what is no JSON.
pub(super) fn malformed() -> Refusal {
    Refusal::new(400, json!({ "error": "Malformed json in the body!" }))
}

/// The answer to what is JSON, but nested more deeply than is read.
pub(super) fn too_deep() -> Refusal {
    let limit = selvedge_json::MAX_DEPTH;
    let text = format!(
        "Request failed validation:#: objects and arrays are nested more than {limit} deep"
    );
    Refusal::new(400, json!({ "error": text }))
}
