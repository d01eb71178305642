//! `PUT /v4/destinations/{destination_id}`: changes a destination and queues a new check.

use axum::extract::State;
use selvedge_control::destinations::{self, DestinationChange};
use selvedge_types::DestinationId;

use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::path::Segment;
use crate::{ApiError, AppState};

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
