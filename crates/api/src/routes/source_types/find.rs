//! `GET /v4/source-types/{source_type}`: the report card of one source type.

use axum::response::Response;
use selvedge_catalog::ConnectionKind;

use crate::ApiError;
use crate::openapi::parameters::HeldTag;
use crate::openapi::report_card::TypeCard;
use crate::path::Segment;
use crate::type_cards::TypeQuestion;

/// Retrieve a source type
#[utoipa::path(
    get,
    path = "/v4/source-types/{type}",
    tag = "Source types",
    params(
        ("type" = String, Path, description = "Name of the type", example = "platform.postgres"),
        HeldTag,
    ),
    responses(
        (status = 200, description = "Report card of the type", body = TypeCard,
            headers(("ETag" = String, description = "Entity tag, to send in `If-None-Match`"))),
        (status = 304, description = "The caller has this answer already"),
    ),
)]
pub(crate) async fn find_source_type(
    question: TypeQuestion,
    Segment(name): Segment<String>,
) -> Result<Response, ApiError> {
    question.find(ConnectionKind::Source, &name).await
}
