//! `GET /v4/destination-types/{destination_type}`: the report card of one destination type.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use selvedge_catalog::ConnectionKind;
use selvedge_control::plans;

use crate::auth::Caller;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve a destination type
#[utoipa::path(
    get,
    path = "/v4/destination-types/{type}",
    tag = "Destination types",
    params(
        ("type" = String, Path, description = "Name of the type", example = "postgres"),
        HeldTag,
    ),
    responses(
        (status = 200, description = "Report card of the type", body = TypeCard,
            headers(("ETag" = String, description = "Entity tag, to send in `If-None-Match`"))),
        (status = 304, description = "The caller has this answer already"),
    ),
)]
pub(crate) async fn find_destination_type(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(name): Segment<String>,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = ConnectionKind::Destination;
    let access = plans::features_of(&state.control, scope)
        .await?
        .type_access();
    state
        .type_cards
        .find(&state.control, access, kind, &name, &request)
        .await
}
