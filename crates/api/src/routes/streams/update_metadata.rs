//! `PUT /v4/sources/{source_id}/streams/metadata`: chooses streams, fields and how they replicate.

use axum::extract::State;
use selvedge_control::streams::{self, MetadataUpdate};
use selvedge_types::SourceId;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn update_metadata(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
    body: JsonBody,
) -> Result<Json<Value>, ApiError> {
    let update = MetadataUpdate::from_body(body.object());
    streams::update_metadata(&state.control, scope, source, update).await?;
    Ok(Json(json!({"status": 200})))
}
