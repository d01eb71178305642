//! `GET /v4/sources/{source_id}/streams`: the streams that discovery found.

use axum::extract::State;
use selvedge_control::streams::{self, Stream};
use selvedge_types::{SourceId, StreamId};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct StreamView {
    selected: Option<bool>,
    stream_id: StreamId,
    tap_stream_id: String,
    stream_name: String,
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

pub(crate) async fn list_streams(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Vec<StreamView>>, ApiError> {
    let streams = streams::list(&state.control, scope, source).await?;
    Ok(Json(streams.into_iter().map(Into::into).collect()))
}
