//! `POST /v2/import/batch`: records for one table, with a JSON Schema.

use axum::body::Body;
use axum::http::HeaderMap;
use http::StatusCode;

use super::examine;
use crate::ahead::Ahead;
use crate::answer::Answer;
use crate::body::{self, Format};
use crate::openapi::{Accepted, BatchBody, BatchProblem, Common, ErrorMessage, NeedsToken};
use crate::{Gate, accept, pusher};

/// Push records of one table
///
/// Every record must conform to the schema; the first that does not is named, and nothing of the request is kept.
#[utoipa::path(
    post,
    path = "/v2/import/batch",
    tag = "Import API",
    operation_id = "import_batch",
    security(("import_token" = [])),
    request_body = BatchBody,
    responses(
        (status = 201, description = "Accepted", body = Accepted),
        (status = 400, description = "The body is no JSON or not encoded as it says, an argument is missing, unknown or of another type, the schema is none, or a record does not conform to it.",
            body = BatchProblem),
        (status = 415, description = "Another media type than `application/json`, in plain text; or an encoding that is none of gzip and deflate, as JSON.",
            content((String = "text/plain", example = "Content-Type must be application/json"), (ErrorMessage = "application/json"))),
        NeedsToken,
        Common,
    ),
)]
pub(crate) async fn batch(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Answer, Answer> {
    let pusher = pusher::by_header(gate, headers).await?;
    if body::format(headers) != Ok(Format::Json) {
        return Err(Answer::BatchContentType);
    }
    let account = pusher.scope.account();
    let body = body::read(gate, account, headers, body, Format::Json).await?;
    let mut ahead = Ahead::begin(gate, account, &body.bytes);
    let intake = examine(gate, account, &body, selvedge_intake::batch).await?;
    let squeezed = match &mut ahead {
        Some(ahead) => ahead.finish().await,
        None => None,
    };
    accept::keep(gate, &pusher, intake, squeezed).await?;
    Ok(Answer::Accepted(StatusCode::CREATED))
}
