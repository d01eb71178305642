//! `GET /v4/source-types`: the report cards of all source types.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use selvedge_catalog::ConnectionKind;
use selvedge_control::plans;

use crate::auth::Caller;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::{ApiError, AppState};

/// List source types
///
/// What can be connected as a source, sorted by name; this server's own types last. Types that are known by name only come without steps.
#[utoipa::path(
    get,
    path = "/v4/source-types",
    tag = "Source types",
    params(HeldTag),
    responses(
        (status = 200, description = "Report cards of the types", body = [TypeCard],
            headers(("ETag" = String, description = "Entity tag, to send in `If-None-Match`"))),
        (status = 304, description = "The caller has this answer already"),
    ),
)]
pub(crate) async fn list_source_types(
    Caller(scope): Caller,
    State(state): State<AppState>,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = ConnectionKind::Source;
    let access = plans::features_of(&state.control, scope)
        .await?
        .type_access();
    state
        .type_cards
        .list(&state.control, access, kind, &request)
        .await
}
