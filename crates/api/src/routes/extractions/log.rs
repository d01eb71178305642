//! `GET /v4/{account_id}/extractions/{job_name}`: redirects to an address where the log can be read for a while without a
//! token.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use selvedge_control::jobs;
use selvedge_types::AccountId;
use selvedge_types::job::JobName;

use crate::auth::Caller;
use crate::openapi::parameters::{AccountPath, JobPath};
use crate::path::Segments;
use crate::{ApiError, AppState};

/// Retrieve the log of an extraction
///
/// A running job's log is what has been logged so far.
#[utoipa::path(
    get,
    path = "/v4/{account_id}/extractions/{job_name}",
    tag = "Replication jobs",
    params(AccountPath, JobPath),
    responses(
        (status = 302, description = "Where the text can be read, for 15 minutes and without a token",
         headers(("Location" = String, description = "An absolute address on this server"))),
    ),
)]
pub(crate) async fn find_log(
    caller: Caller,
    State(state): State<AppState>,
    Segments(account, job): Segments<AccountId, JobName>,
) -> Result<Response, ApiError> {
    let scope = caller.scope_of(account)?;
    let address = jobs::log_address(&state.control, scope, job)
        .await?
        .ok_or(ApiError::NotFound)?;
    let location = format!(
        "{}/logs/{}?expires={}&signature={}",
        state.control.settings().public_url,
        address.job,
        address.expires_at,
        address.signature
    );
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}
