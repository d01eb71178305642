//! What clients send to choose streams and fields, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads bodies itself, to answer with the documented texts"
)]

use utoipa::ToSchema;

#[derive(ToSchema)]
#[schema(examples(json!({"streams": [
    {"tap_stream_id": "shop-public-invoices",
     "metadata": [
        {"breadcrumb": [], "metadata": {"selected": true, "replication-method": "INCREMENTAL", "replication-key": "changed_at"}},
        {"breadcrumb": ["properties", "total"], "metadata": {"selected": true}}
     ]}
]})))]
pub(crate) struct MetadataUpdate {
    /// The streams to change: all of them, or none when anything is refused.
    streams: Vec<StreamUpdate>,
}

#[derive(ToSchema)]
pub(crate) struct StreamUpdate {
    /// A stream of `GET /v4/sources/{source_id}/streams`.
    tap_stream_id: String,
    metadata: Vec<MetadataChange>,
}

#[derive(ToSchema)]
pub(crate) struct MetadataChange {
    /// `[]` for the stream, `["properties", "<FIELD>"]` for a field.
    breadcrumb: Vec<String>,
    metadata: SettableMetadata,
}

/// The keys that may be set; `null` takes a value away.
#[derive(ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SettableMetadata {
    /// Replicate the stream, or the field.
    selected: Option<bool>,
    /// Of a stream.
    replication_method: Option<ReplicationMethod>,
    /// Of a stream with `INCREMENTAL`: the field whose growing values mark what is new.
    replication_key: Option<String>,
    /// Of a view: the fields that identify a row.
    view_key_properties: Option<Vec<String>>,
}

/// Everything each time; what is new by a growing field; what the database's log says has changed.
#[derive(ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReplicationMethod {
    FullTable,
    Incremental,
    LogBased,
}
