//! `PUT /v4/destinations/{destination_id}`: changes a destination and queues a new check.

use axum::extract::State;
use selvedge_control::destinations::{self, DestinationChange};
use selvedge_types::DestinationId;

use super::body;
use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::DestinationError;
use crate::openapi::parameters::DestinationPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Change a destination
///
/// Properties are merged key by key; a new connection check is queued.
#[utoipa::path(
    put,
    path = "/v4/destinations/{destination_id}",
    tag = "Destinations",
    params(DestinationPath),
    request_body = body::DestinationChange,
    responses(
        (status = 200, description = "The destination as it is now", body = DestinationView),
        (status = 400, description = "A sentence when the destination is unknown, its type would change or the body has not the right form; `InvalidProperties` otherwise", body = DestinationError),
    ),
)]
pub(crate) async fn update_destination(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
    body: JsonBody,
) -> Result<Json<DestinationView>, ApiError> {
    let change = DestinationChange::from_body(body.object());
    let destination = destinations::update(&state.control, scope, id, change).await?;
    Ok(Json(destination.into()))
}
