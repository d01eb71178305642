//! `GET /v4/sources/{source_id}/streams/{stream_id}`: schema and metadata of a stream and its fields.

use axum::extract::State;
use selvedge_control::streams::metadata::{MetadataEntry, SETTABLE_KEYS};
use selvedge_control::streams::{self, StreamSchema};
use selvedge_types::{SourceId, StreamId};
use serde::Serialize;

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segments;
use crate::{ApiError, AppState};

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct StreamSchemaView {
    /// JSON Schema, serialised as a string.
    schema: String,
    metadata: Vec<MetadataEntry>,
    #[serde(rename = "non-discoverable-metadata-keys")]
    settable_keys: [&'static str; 4],
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

pub(crate) async fn find_stream(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segments(source, stream): Segments<SourceId, StreamId>,
) -> Result<Json<StreamSchemaView>, ApiError> {
    let stream = streams::find(&state.control, scope, source, stream).await?;
    Ok(Json(stream.into()))
}
