//! `GET /v4/destination-types`: the report cards of all destination types.

use axum::response::Response;
use selvedge_catalog::ConnectionKind;

use crate::ApiError;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::type_cards::TypeQuestion;

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
pub(crate) async fn list_destination_types(question: TypeQuestion) -> Result<Response, ApiError> {
    question.list(ConnectionKind::Destination).await
}
