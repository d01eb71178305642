//! `GET /v4/source-types`: the report cards of all source types.

use axum::response::Response;
use selvedge_catalog::ConnectionKind;

use crate::ApiError;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::type_cards::TypeQuestion;

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
pub(crate) async fn list_source_types(question: TypeQuestion) -> Result<Response, ApiError> {
    question.list(ConnectionKind::Source).await
}
