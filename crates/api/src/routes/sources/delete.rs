//! `DELETE /v4/sources/{source_id}`: marks a source deleted and stops its jobs.

use axum::extract::State;
use selvedge_control::sources;
use selvedge_types::SourceId;

use super::view::SourceView;
use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::NamedError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Delete a source
///
/// Its jobs are stopped. What has been loaded stays in the destination.
#[utoipa::path(
    delete,
    path = "/v4/sources/{source_id}",
    tag = "Sources",
    params(SourcePath),
    responses(
        (status = 200, description = "The source, with `deleted_at`", body = SourceView),
        (status = 400, description = "`InvalidId`: the source is unknown, or already deleted", body = NamedError),
    ),
)]
pub(crate) async fn delete_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Json<SourceView>, ApiError> {
    let source = sources::delete(&state.control, scope, id).await?;
    Ok(Json(source.into()))
}
