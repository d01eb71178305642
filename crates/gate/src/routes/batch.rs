//! `POST /v2/import/batch`: records for one table, with a JSON Schema.

use axum::body::Body;
use axum::http::HeaderMap;
use http::StatusCode;

use super::examine;
use crate::answer::Answer;
use crate::body::{self, Format};
use crate::{Gate, accept, pusher};

pub(crate) async fn batch(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Answer, Answer> {
    let pusher = pusher::by_header(gate, headers).await?;
    if body::format(headers) != Ok(Format::Json) {
        return Err(Answer::BatchContentType);
    }
    let account = pusher.scope.account();
    let body = body::read(gate, account, headers, body, Format::Json).await?;
    let intake = examine(gate, account, &body, selvedge_intake::batch).await?;
    accept::keep(gate, &pusher, intake).await?;
    Ok(Answer::Accepted(StatusCode::CREATED))
}
