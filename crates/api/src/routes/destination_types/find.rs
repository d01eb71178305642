//! `GET /v4/destination-types/{destination_type}`: the report card of one destination type.

use axum::extract::State;
use selvedge_catalog::ReportCard;
use selvedge_control::{connection_types, plans};

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::report_card::TypeCard;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve a destination type
#[utoipa::path(
    get,
    path = "/v4/destination-types/{type}",
    tag = "Destination types",
    params(("type" = String, Path, description = "Name of the type", example = "postgres")),
    responses((status = 200, description = "Report card of the type", body = TypeCard)),
)]
pub(crate) async fn find_destination_type(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(name): Segment<String>,
) -> Result<Json<ReportCard<'static>>, ApiError> {
    let features = plans::features_of(&state.control, scope).await?;
    connection_types::find_destination(&state.control, features, &name)
        .map(Json)
        .ok_or(ApiError::NotFound)
}
