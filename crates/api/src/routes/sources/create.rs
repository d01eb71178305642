//! `POST /v4/sources`: creates a source and, when its settings are complete, queues a check.

use axum::extract::State;
use selvedge_control::sources::{self, NewSource};

use super::body;
use super::view::SourceView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::NamedError;
use crate::{ApiError, AppState};

/// Create a source
///
/// Properties may be partial: the report card in the answer says which step comes next. When the settings are complete, a connection
/// check is queued; it also finds the streams.
#[utoipa::path(
    post,
    path = "/v4/sources",
    tag = "Sources",
    request_body = body::NewSource,
    responses(
        (status = 200, description = "The source", body = SourceView),
        (status = 400, description = "`InvalidBody`, `InvalidType`, `AccessDenied`, `InvalidName` or `InvalidDisplayName` (the derived or given name is bad or taken), `InvalidId` (the destination is unknown), `InvalidProperties` or `InvalidCronExpression`, in this order", body = NamedError),
    ),
)]
pub(crate) async fn create_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<SourceView>, ApiError> {
    let new = NewSource::from_body(body.object())?;
    let source = sources::create(&state.control, scope, new).await?;
    Ok(Json(source.into()))
}
