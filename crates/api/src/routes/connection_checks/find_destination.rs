//! `GET /v4/destinations/{destination_id}/last-connection-check`: the newest check of a destination.

use axum::extract::State;
use selvedge_control::checks;
use selvedge_types::DestinationId;

use super::view::ConnectionCheckView;
use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::DestinationPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve the last connection check of a destination
///
/// 404 before the first check.
#[utoipa::path(
    get,
    path = "/v4/destinations/{destination_id}/last-connection-check",
    tag = "Connection checks",
    params(DestinationPath),
    responses((status = 200, description = "The newest check, which may still run", body = ConnectionCheckView)),
)]
pub(crate) async fn last_destination_check(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
) -> Result<Json<ConnectionCheckView>, ApiError> {
    let check = checks::last(&state.control, scope, id.into()).await?;
    Ok(Json(check.into()))
}
