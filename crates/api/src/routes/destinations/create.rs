//! `POST /v4/destinations`: creates a destination and queues its first check.

use axum::extract::State;
use selvedge_control::destinations::{self, NewDestination};

use super::body;
use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::DestinationError;
use crate::{ApiError, AppState};

/// Create a destination
///
/// A connection check is queued at once (`check_job_name`). Sources of the account that have no destination are mapped to the new one,
/// unless `ignore_unmapped_sources` is `true`.
#[utoipa::path(
    post,
    path = "/v4/destinations",
    tag = "Destinations",
    request_body = body::NewDestination,
    responses(
        (status = 200, description = "The destination", body = DestinationView),
        (status = 400, description = "A sentence when the body has not the right form or the account is at its limit; `InvalidType`, `AccessDenied` or `InvalidProperties` otherwise", body = DestinationError),
    ),
)]
pub(crate) async fn create_destination(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<DestinationView>, ApiError> {
    let new = NewDestination::from_body(body.object())?;
    let destination = destinations::create(&state.control, scope, new).await?;
    Ok(Json(destination.into()))
}
