//! What is remembered of a tap between runs.

use std::collections::BTreeMap;

use selvedge_connector::TapMetadata;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far a tap is, stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TapPosition {
    /// The state to start the tap with. Everything before it is durable in the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
    /// The greatest `_sdc_sequence` handed out.
    pub last_sequence: i64,
    /// By `tap_stream_id`: the streams that had records.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, TapStreamPosition>,
}

/// What is known of the table of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapStreamPosition {
    /// The life of the stream that this belongs to.
    pub epoch: i64,
    /// The current version of the table, once the tap named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_version: Option<i64>,
}

/// A selected stream of a tap when the run starts.
#[derive(Clone, Debug, PartialEq)]
pub struct TapStreamState {
    pub tap_stream_id: String,
    /// Lives of the stream, from 1.
    pub epoch: i64,
    /// What the user chose for the stream and its fields.
    pub chosen: Vec<TapMetadata>,
    /// Top-level fields that replicate.
    pub fields: Vec<String>,
}
