//! `DELETE /v4/destinations/{destination_id}`: deletes a destination; its sources stay, unmapped.

use axum::extract::State;
use selvedge_control::destinations;
use selvedge_types::DestinationId;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn delete_destination(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
) -> Result<Json<Value>, ApiError> {
    destinations::delete(&state.control, scope, id).await?;
    Ok(Json(json!({})))
}
