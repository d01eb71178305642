//! `GET /v4/source-types`: the report cards of all source types.

use axum::extract::State;
use selvedge_catalog::ReportCard;
use selvedge_control::connection_types;

use crate::AppState;
use crate::auth::Caller;
use crate::json::Json;

pub(crate) async fn list_source_types(
    _: Caller,
    State(state): State<AppState>,
) -> Json<Vec<ReportCard<'static>>> {
    Json(connection_types::list_sources(&state.control))
}
