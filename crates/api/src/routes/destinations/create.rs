//! `POST /v4/destinations`: creates a destination and queues its first check.

use axum::extract::State;
use selvedge_control::destinations::{self, NewDestination};

use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::{ApiError, AppState};

pub(crate) async fn create_destination(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<DestinationView>, ApiError> {
    let new = NewDestination::from_body(body.object())?;
    let destination = destinations::create(&state.control, scope, new).await?;
    Ok(Json(destination.into()))
}
