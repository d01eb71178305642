//! The shapes of bodies, here and there.

#![expect(
    dead_code,
    reason = "they describe what is read from JSON text and written as JSON values"
)]

use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Records for one table, and the JSON Schema that they follow.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportBatch, examples(json!({
    "table_name": "parcels",
    "schema": {"properties": {
        "parcel_id": {"type": "integer"},
        "label": {"type": ["null", "string"]},
        "sent_at": {"type": "string", "format": "date-time"},
    }},
    "key_names": ["parcel_id"],
    "messages": [{
        "action": "upsert", "sequence": 1_700_000_000_001_i64,
        "data": {"parcel_id": 7, "label": "blue", "sent_at": "2023-11-14T22:13:20Z"},
    }],
})))]
pub(crate) struct BatchBody {
    /// Becomes the name of the table.
    #[schema(min_length = 1, pattern = r"\S")]
    table_name: String,
    /// JSON Schema (draft 4; what later drafts write differently is understood too) that every record must conform to, and that
    /// columns take their types from. Keywords that are not known are ignored, and so are `dependencies`, `contains`, `propertyNames`
    /// and `if`.
    #[schema(examples(json!({"properties": {"parcel_id": {"type": "integer"}}})))]
    schema: Map<String, Value>,
    #[schema(min_items = 1, max_items = 20_000)]
    messages: Vec<BatchMessage>,
    /// Properties of the schema that identify a record. Without any, every record is a row of its own.
    #[schema(nullable = false)]
    key_names: Option<Vec<String>>,
    /// Version of the table that the records belong to.
    #[schema(nullable = false)]
    table_version: Option<i64>,
    /// Fields whose least and greatest values post-load hooks are told.
    #[schema(nullable = false)]
    bookmark_names: Option<Vec<String>>,
}

/// A record, or the word that the records of a version are complete.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = ImportMessage)]
pub(crate) enum BatchMessage {
    Upsert(UpsertMessage),
    ActivateVersion(ActivateVersionMessage),
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpsertMessage {
    action: Upsert,
    /// Of records with the same key the one with the greatest sequence stays.
    sequence: i64,
    /// The record. It has all key properties, none of them null.
    data: Map<String, Value>,
    /// When the record was read where it comes from; ISO 8601.
    #[schema(format = DateTime, nullable = false)]
    time_extracted: Option<String>,
}

/// Once everything accepted before is loaded, rows of other versions than the batch's `table_version` are removed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateVersionMessage {
    action: ActivateVersion,
    sequence: i64,
    #[schema(format = DateTime, nullable = false)]
    time_extracted: Option<String>,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UpsertAction)]
pub(crate) enum Upsert {
    Upsert,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ActivateVersionAction)]
pub(crate) enum ActivateVersion {
    ActivateVersion,
}

/// Records for any tables.
#[derive(ToSchema)]
#[schema(as = ImportPush, min_items = 1, max_items = 20_000)]
pub(crate) struct PushBody(Vec<PushRecord>);

/// A record; columns take their types from its values.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "client_id": 140_217, "table_name": "visits", "sequence": 1_700_000_000_001_i64, "action": "upsert",
    "key_names": ["visit_id"], "data": {"visit_id": 91, "minutes": 12},
})))]
pub(crate) struct PushRecord {
    /// The account of the token.
    client_id: i64,
    #[schema(min_length = 1, pattern = r"\S")]
    table_name: String,
    /// Of records with the same key the one with the greatest sequence stays.
    sequence: i64,
    action: Upsert,
    /// Names of the properties in `data` that identify the record.
    #[schema(min_items = 1)]
    key_names: Vec<String>,
    /// The record; not empty.
    data: Map<String, Value>,
    #[schema(nullable = false)]
    table_version: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPath {
    /// The secret of the address.
    #[param(example = "wh_0123456789abcdef")]
    token: String,
}

/// An event, or several.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(examples(json!({"id": 7, "kind": "order.paid", "total": "12.50"})))]
pub(crate) enum WebhookBody {
    One(Map<String, Value>),
    Several(Vec<Map<String, Value>>),
}

/// Everything of the request is durable.
#[derive(ToSchema)]
#[schema(as = ImportAccepted, examples(json!({"status": "OK", "message": "Batch Accepted!"})))]
pub(crate) struct Accepted {
    status: String,
    message: String,
}

/// Everything of the request would be taken.
#[derive(ToSchema)]
#[schema(as = ImportValid, examples(json!({"status": "OK", "message": "Batch is valid!"})))]
pub(crate) struct Valid {
    status: String,
    message: String,
}

#[derive(ToSchema)]
#[schema(as = ImportStatus, examples(json!({
    "name": "pipeline.gate", "version": "0.1.0", "revision": "unknown", "status": "OK", "reason": null,
})))]
pub(crate) struct Status {
    name: String,
    version: String,
    revision: String,
    /// `OK`, or `ERROR` when nothing can be kept.
    status: String,
    reason: Option<String>,
}

/// What is wrong with a batch, first of all.
#[derive(ToSchema)]
#[schema(as = ImportBatchRefusal, examples(json!({
    "error": "Request failed validation:#: required key [schema] not found",
})))]
pub(crate) struct BatchRefusal {
    error: String,
}

/// What is wrong with a batch, or with the way its body came.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = ImportBatchProblem)]
pub(crate) enum BatchProblem {
    Batch(BatchRefusal),
    Body(ErrorMessage),
}

/// A sentence.
#[derive(ToSchema)]
#[schema(as = ImportError, examples(json!({"status": "ERROR", "message": "An array of records is expected"})))]
pub(crate) struct ErrorMessage {
    status: String,
    message: String,
}

/// What is wrong with the form of a body.
#[derive(ToSchema)]
#[schema(as = ImportPushRefusal, examples(json!({"status": "ERROR", "message": "An array of records is expected"})))]
pub(crate) struct PushRefusal {
    status: String,
    message: String,
    /// With a body that cannot be read: what is wrong with it.
    #[schema(nullable = false)]
    error: Option<String>,
    /// With a body that cannot be read: null.
    input: Option<Value>,
}

/// The records are somebody else's.
#[derive(ToSchema)]
#[schema(as = ImportForbidden, examples(json!({
    "status": "ERROR", "error": "Forbidden",
    "errors": {"error": "Access token is not associated with this client."},
})))]
pub(crate) struct Forbidden {
    status: String,
    error: String,
    errors: Value,
}

/// What is wrong with the records.
#[derive(ToSchema)]
#[schema(as = ImportRecordRefusal, examples(json!({
    "status": "ERROR", "error": "Request cannot be processed; see errors.",
    "errors": [{"reason": {"table_name": ["can't be blank"]}}],
})))]
pub(crate) struct RecordRefusal {
    status: String,
    error: String,
    /// One for each offending record, 100 at most.
    errors: Vec<RecordReason>,
}

#[derive(ToSchema)]
#[schema(as = ImportRecordReason)]
pub(crate) struct RecordReason {
    /// A sentence, or sentences by argument.
    reason: Value,
}
