//! `GET /v4/sources/{source_id}/streams/{stream_id}`: schema and metadata of a stream and its fields.

use std::collections::BTreeMap;

use axum::extract::State;
use selvedge_control::streams::metadata::{MetadataEntry, SETTABLE_KEYS};
use selvedge_control::streams::{self, StreamSchema};
use selvedge_types::{SourceId, StreamId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::ErrorText;
use crate::openapi::parameters::SourcePath;
use crate::openapi::parameters::StreamPath;
use crate::path::Segments;
use crate::{ApiError, AppState};

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamSchema)]
pub(crate) struct StreamSchemaView {
    /// JSON Schema, serialised as a string.
    schema: String,
    /// Of the stream itself (empty breadcrumb) and of each field that discovery listed.
    #[schema(value_type = Vec<StoredMetadata>)]
    metadata: Vec<MetadataEntry>,
    #[serde(rename = "non-discoverable-metadata-keys")]
    /// The keys of `metadata` that `PUT …/streams/metadata` takes.
    settable_keys: [&'static str; 4],
}

/// Metadata of a stream (empty breadcrumb) or of a field (`["properties", "<FIELD>"]`).
#[derive(ToSchema)]
#[schema(as = Metadata)]
#[expect(dead_code, reason = "describes MetadataEntry")]
pub(crate) struct StoredMetadata {
    breadcrumb: Vec<String>,
    /// Sorted by key. A key is absent until discovery or the user has set it.
    metadata: BTreeMap<String, Value>,
}

impl From<StreamSchema> for StreamSchemaView {
    fn from(stream: StreamSchema) -> Self {
        Self {
            schema: stream.schema.to_string(),
            metadata: stream.metadata,
            settable_keys: SETTABLE_KEYS,
        }
    }
}

/// Retrieve a stream's schema
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}/streams/{stream_id}",
    tag = "Streams",
    params(SourcePath, StreamPath),
    responses(
        (status = 200, description = "Schema and metadata of the stream and its fields", body = StreamSchemaView),
        (status = 400, description = "The source or the stream is unknown", body = ErrorText),
    ),
)]
pub(crate) async fn find_stream(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segments(source, stream): Segments<SourceId, StreamId>,
) -> Result<Json<StreamSchemaView>, ApiError> {
    let stream = streams::find(&state.control, scope, source, stream).await?;
    Ok(Json(stream.into()))
}
