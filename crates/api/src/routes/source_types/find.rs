//! `GET /v4/source-types/{source_type}`: the report card of one source type.

use axum::extract::State;
use selvedge_catalog::ReportCard;
use selvedge_control::connection_types;

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn find_source_type(
    _: Caller,
    State(state): State<AppState>,
    Segment(name): Segment<String>,
) -> Result<Json<ReportCard<'static>>, ApiError> {
    connection_types::find_source(&state.control, &name)
        .map(Json)
        .ok_or(ApiError::NotFound)
}
