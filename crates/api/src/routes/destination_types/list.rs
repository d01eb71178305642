//! `GET /v4/destination-types`: the report cards of all destination types.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use selvedge_catalog::ConnectionKind;
use selvedge_control::plans;

use crate::auth::Caller;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::{ApiError, AppState};

/// List destination types
///
/// What can be connected as a destination, sorted by name; this server's own types last.
#[utoipa::path(
    get,
    path = "/v4/destination-types",
    tag = "Destination types",
    params(HeldTag),
    responses(
        (status = 200, description = "Report cards of the types", body = [TypeCard],
            headers(("ETag" = String, description = "Entity tag, to send in `If-None-Match`"))),
        (status = 304, description = "The caller has this answer already"),
    ),
)]
pub(crate) async fn list_destination_types(
    Caller(scope): Caller,
    State(state): State<AppState>,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = ConnectionKind::Destination;
    let access = plans::features_of(&state.control, scope)
        .await?
        .type_access();
    state
        .type_cards
        .list(&state.control, access, kind, &request)
        .await
}
