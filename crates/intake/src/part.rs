//! What was accepted: the records of one request, apart by table.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How the values of records are typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typing {
    /// By a JSON Schema, whose text this is; what it does not speak of by its literal.
    Schema(String),
    /// By its literal.
    Value,
    /// By its literal, but that a string may begin with a tag: `~t` an instant (RFC 3339), `~f` a decimal, `~n` an integer of
    /// any size, `~~` a text that begins with a tilde.
    Tag,
}

/// What holds for all records of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHeader {
    pub table_name: String,
    /// As declared, each once; empty for rows that are appended.
    pub key_names: Vec<String>,
    /// Version of the table that the records belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_version: Option<i64>,
    /// Replication keys, for reports only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookmark_names: Vec<String>,
    pub typing: Typing,
}

/// Records of one request for one table, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Part {
    pub header: PartHeader,
    /// The messages, JSON objects with commas or white space between them; [`crate::Messages`] reads them.
    pub messages: Bytes,
    /// Records; activations are none.
    pub record_count: u32,
    /// Whether one of the messages makes the table version the current one.
    pub activates: bool,
}

/// What a request asks to keep. All of it is kept, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// Parts for the same table stand in the order of their first records.
    pub parts: Vec<Part>,
    /// Records that count as received but are not kept: those of webhooks whose key is null.
    pub dropped_count: u32,
}

impl Intake {
    /// Records in all parts.
    pub fn record_count(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| u64::from(part.record_count))
            .sum()
    }
}
