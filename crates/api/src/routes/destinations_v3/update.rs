//! `PUT /v3/destinations/{destination_id}`: changes a destination and queues a new check.

use axum::extract::State;
use selvedge_control::destinations::{DestinationChange, v3};
use selvedge_types::DestinationId;

use super::body::DestinationChangeV3;
use super::view::DestinationV3View;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::DestinationError;
use crate::openapi::parameters::DestinationPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Change a destination (version 3)
///
/// Outdated: see `PUT /v4/destinations/{destination_id}`. The connection is merged key by key; a new connection check is queued.
#[utoipa::path(
    put,
    path = "/v3/destinations/{destination_id}",
    tag = "Destinations",
    params(DestinationPath),
    request_body = DestinationChangeV3,
    responses(
        (status = 200, description = "The destination as it is now", body = DestinationV3View),
        (status = 400, description = "A sentence when the destination is unknown, its type would change or the body has not the right form; `InvalidProperties` otherwise", body = DestinationError),
    ),
)]
pub(crate) async fn update_destination_v3(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
    body: JsonBody,
) -> Result<Json<DestinationV3View>, ApiError> {
    let change = DestinationChange::from_v3_body(body.object());
    let destination = v3::update(&state.control, scope, id, change).await?;
    Ok(Json(destination.into()))
}
