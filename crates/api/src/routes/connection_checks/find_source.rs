//! `GET /v4/sources/{source_id}/last-connection-check`: the newest check of a source.

use axum::extract::State;
use selvedge_control::checks;
use selvedge_types::SourceId;

use super::view::ConnectionCheckView;
use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve the last connection check of a source
///
/// 404 before the first check.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}/last-connection-check",
    tag = "Connection checks",
    params(SourcePath),
    responses((status = 200, description = "The newest check, which may still run", body = ConnectionCheckView)),
)]
pub(crate) async fn last_source_check(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Json<ConnectionCheckView>, ApiError> {
    let check = checks::last(&state.control, scope, id.into()).await?;
    Ok(Json(check.into()))
}
