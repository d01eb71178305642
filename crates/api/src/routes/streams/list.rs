//! `GET /v4/sources/{source_id}/streams`: the streams that discovery found.

use axum::extract::State;
use selvedge_control::streams::{self, Stream};
use selvedge_types::{SourceId, StreamId};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Stream)]
pub(crate) struct StreamView {
    /// Null: never selected or de-selected so far.
    #[schema(required)]
    selected: Option<bool>,
    #[schema(value_type = i64)]
    stream_id: StreamId,
    /// Unique in the source; `PUT …/streams/metadata` takes it.
    tap_stream_id: String,
    /// Name of the table; two schemas may have the same.
    stream_name: String,
    /// What discovery wrote and the user chose for the stream itself, sorted by key. Always with `selected`.
    #[schema(value_type = BTreeMap<String, Value>)]
    metadata: Map<String, Value>,
}

impl From<Stream> for StreamView {
    fn from(stream: Stream) -> Self {
        Self {
            selected: stream.selected,
            stream_id: stream.id,
            tap_stream_id: stream.tap_stream_id,
            stream_name: stream.stream_name,
            metadata: stream.metadata,
        }
    }
}

/// List streams
///
/// What discovery found, by name. Empty before the first connection check has succeeded.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}/streams",
    tag = "Streams",
    params(SourcePath),
    responses((status = 200, description = "The streams", body = [StreamView])),
)]
pub(crate) async fn list_streams(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Vec<StreamView>>, ApiError> {
    let streams = streams::list(&state.control, scope, source).await?;
    Ok(Json(streams.into_iter().map(Into::into).collect()))
}
