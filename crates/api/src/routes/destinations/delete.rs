//! `DELETE /v4/destinations/{destination_id}`: deletes a destination; its sources stay, unmapped.

use axum::extract::State;
use selvedge_control::destinations;
use selvedge_types::DestinationId;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::ErrorText;
use crate::openapi::parameters::DestinationPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Delete a destination
///
/// Its tables stay as they are. Sources that were mapped to it stay too, without a destination.
#[utoipa::path(
    delete,
    path = "/v4/destinations/{destination_id}",
    tag = "Destinations",
    params(DestinationPath),
    responses(
        (status = 200, description = "An empty object", body = Object, example = json!({})),
        (status = 400, description = "The destination is unknown, or already deleted", body = ErrorText),
    ),
)]
pub(crate) async fn delete_destination(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
) -> Result<Json<Value>, ApiError> {
    destinations::delete(&state.control, scope, id).await?;
    Ok(Json(json!({})))
}
