//! `GET /v4/sources/{source_id}`: one source, also when it is paused or deleted.

use axum::extract::State;
use selvedge_control::sources;
use selvedge_types::SourceId;

use super::view::SourceView;
use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve a source
///
/// Also when it is paused or deleted.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}",
    tag = "Sources",
    params(SourcePath),
    responses(
        (status = 200, description = "The source", body = SourceView),
    ),
)]
pub(crate) async fn find_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Json<SourceView>, ApiError> {
    sources::find(&state.control, scope, id)
        .await?
        .map(|source| Json(source.into()))
        .ok_or(ApiError::UnknownSource(id))
}
