//! `GET /logs/{job_name}`: the text of a log, behind an address that was given out a short while ago. No token; the
//! signature in the query stands for it.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header;
use selvedge_control::jobs::{self, LogAddress};
use selvedge_types::job::JobName;
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use crate::openapi::parameters::JobPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Deserialize)]
pub(crate) struct Signature {
    expires: i64,
    signature: String,
}

/// Read a log
///
/// Behind an address that `GET /v4/{account_id}/extractions/{job_name}` has given out; its signature stands for a token.
#[utoipa::path(
    get,
    path = "/logs/{job_name}",
    tag = "Replication jobs",
    security(()),
    params(
        JobPath,
        ("expires" = i64, Query, description = "As given out"),
        ("signature" = String, Query, description = "As given out"),
    ),
    responses(
        (status = 200, description = "The text", body = String, content_type = "text/plain"),
    ),
)]
pub(crate) async fn read_log(
    State(state): State<AppState>,
    Segment(job): Segment<JobName>,
    query: Result<Query<Signature>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(signature) = query.map_err(|_| ApiError::NotFound)?;
    let address = LogAddress {
        job,
        expires_at: signature.expires,
        signature: signature.signature,
    };
    let log = jobs::read_log(&state.control, &address)
        .await?
        .ok_or(ApiError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address is as good as the token for this one text.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(log))).into_response())
}
