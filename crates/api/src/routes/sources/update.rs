//! `PUT /v4/sources/{source_id}`: changes label, settings or destination of a source, pauses or unpauses it.

use axum::extract::State;
use selvedge_control::sources::{self, SourceChange};
use selvedge_types::SourceId;

use super::body;
use super::view::SourceView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::NamedError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Change, pause or unpause a source
///
/// Nothing is stored when anything is refused. An empty object changes nothing.
#[utoipa::path(
    put,
    path = "/v4/sources/{source_id}",
    tag = "Sources",
    params(SourcePath),
    request_body = body::SourceChange,
    responses(
        (status = 200, description = "The source as it is now", body = SourceView),
        (status = 400, description = "`InvalidId` (the source is unknown or deleted, or the destination is unknown), `InvalidBody`, `InvalidDisplayName`, `InvalidProperties`, `AccessDenied` or `InvalidCronExpression`", body = NamedError),
    ),
)]
pub(crate) async fn update_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
    body: JsonBody,
) -> Result<Json<SourceView>, ApiError> {
    let change = SourceChange::from_body(body.object());
    let source = sources::update(&state.control, scope, id, change).await?;
    Ok(Json(source.into()))
}
