//! `GET /v4/destination-types/{destination_type}`: the report card of one destination type.

use axum::extract::State;
use selvedge_catalog::ReportCard;
use selvedge_control::connection_types;

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn find_destination_type(
    _: Caller,
    State(state): State<AppState>,
    Segment(name): Segment<String>,
) -> Result<Json<ReportCard<'static>>, ApiError> {
    connection_types::find_destination(&state.control, &name)
        .map(Json)
        .ok_or(ApiError::NotFound)
}
