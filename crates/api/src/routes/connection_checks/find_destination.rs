//! `GET /v4/destinations/{destination_id}/last-connection-check`: the newest check of a destination.

use axum::extract::State;
use selvedge_control::checks;
use selvedge_types::DestinationId;

use super::view::ConnectionCheckView;
use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn last_destination_check(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<DestinationId>,
) -> Result<Json<ConnectionCheckView>, ApiError> {
    let check = checks::last(&state.control, scope, id.into()).await?;
    Ok(Json(check.into()))
}
