//! `GET /v4/sources/{source_id}/last-connection-check`: the newest check of a source.

use axum::extract::State;
use selvedge_control::checks;
use selvedge_types::SourceId;

use super::view::ConnectionCheckView;
use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn last_source_check(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Json<ConnectionCheckView>, ApiError> {
    let check = checks::last(&state.control, scope, id.into()).await?;
    Ok(Json(check.into()))
}
