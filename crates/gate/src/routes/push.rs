//! `POST /v2/import/push`: records for any tables, typed by their values; `POST /v2/import/validate`: the same without keeping
//! them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use http::StatusCode;
use selvedge_control::intake::Pusher;
use selvedge_intake::Intake;

use super::examine;
use crate::answer::Answer;
use crate::body::{self, Format, ReadBody};
use crate::openapi::{Accepted, Common, NeedsToken, OfRecords, PushBody, Valid};
use crate::{Gate, accept, pusher};

/// Push records of any tables
///
/// Columns take their types from the values: by JSON type, or by tag in Transit.
#[utoipa::path(
    post,
    path = "/v2/import/push",
    tag = "Import API",
    operation_id = "import_push",
    security(("import_token" = [])),
    request_body(content((PushBody = "application/json"), (PushBody = "application/transit+json"))),
    responses(
        (status = 201, description = "Accepted", body = Accepted),
        OfRecords,
        NeedsToken,
        Common,
    ),
)]
pub(crate) async fn push(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Answer, Answer> {
    let (pusher, _body, intake) = examined(gate, headers, body).await?;
    accept::keep(gate, &pusher, intake, None).await?;
    Ok(Answer::Accepted(StatusCode::CREATED))
}

/// Check records without pushing them
///
/// The same checks as pushing, with the same answers; nothing is kept.
#[utoipa::path(
    post,
    path = "/v2/import/validate",
    tag = "Import API",
    operation_id = "import_validate",
    security(("import_token" = [])),
    request_body(content((PushBody = "application/json"), (PushBody = "application/transit+json"))),
    responses(
        (status = 200, description = "They would be taken", body = Valid),
        OfRecords,
        NeedsToken,
        Common,
    ),
)]
pub(crate) async fn validate(
    gate: &Gate,
    headers: &HeaderMap,
    body: Body,
) -> Result<Answer, Answer> {
    examined(gate, headers, body).await?;
    Ok(Answer::Valid)
}

async fn examined(
    gate: &Gate,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Arc<Pusher>, ReadBody, Intake), Answer> {
    let pusher = pusher::by_header(gate, headers).await?;
    let format = body::format(headers).map_err(Answer::ContentType)?;
    let account = pusher.scope.account();
    let body = body::read(gate, account, headers, body, format).await?;
    let intake = match format {
        Format::Json => {
            examine(gate, account, &body, move |bytes| {
                selvedge_intake::push(bytes, account)
            })
            .await?
        }
        Format::Transit => {
            examine(gate, account, &body, move |bytes| {
                selvedge_intake::push_transit(bytes, account)
            })
            .await?
        }
    };
    Ok((pusher, body, intake))
}
