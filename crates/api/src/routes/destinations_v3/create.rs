//! `POST /v3/destinations`: creates the account's only destination and queues its first check.

use axum::extract::State;
use selvedge_control::destinations::{NewDestination, v3};

use super::body::NewDestinationV3;
use super::view::DestinationV3View;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::DestinationError;
use crate::{ApiError, AppState};

/// Create the only destination (version 3)
///
/// Outdated: `POST /v4/destinations` knows of several destinations. A connection check is queued at once, and sources of the account
/// that have no destination are mapped to the new one.
#[utoipa::path(
    post,
    path = "/v3/destinations",
    tag = "Destinations",
    request_body = NewDestinationV3,
    responses(
        (status = 200, description = "The destination", body = DestinationV3View),
        (status = 400, description = "A sentence when the body has not the right form or the account has a destination; `InvalidType`, `AccessDenied` or `InvalidProperties` otherwise", body = DestinationError),
    ),
)]
pub(crate) async fn create_destination_v3(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<DestinationV3View>, ApiError> {
    let new = NewDestination::from_v3_body(body.object())?;
    let destination = v3::create(&state.control, scope, new).await?;
    Ok(Json(destination.into()))
}
