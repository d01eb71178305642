//! `GET /v4/source-types`: the report cards of all source types.

use axum::extract::State;
use selvedge_catalog::ReportCard;
use selvedge_control::{connection_types, plans};

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::report_card::TypeCard;
use crate::{ApiError, AppState};

/// List source types
///
/// What can be connected as a source, sorted by name; this server's own types last. Types that are known by name only come without steps.
#[utoipa::path(
    get,
    path = "/v4/source-types",
    tag = "Source types",
    responses((status = 200, description = "Report cards of the types", body = [TypeCard])),
)]
pub(crate) async fn list_source_types(
    Caller(scope): Caller,
    State(state): State<AppState>,
) -> Result<Json<Vec<ReportCard<'static>>>, ApiError> {
    let features = plans::features_of(&state.control, scope).await?;
    Ok(Json(connection_types::list_sources(
        &state.control,
        features,
    )))
}
