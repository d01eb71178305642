//! `DELETE /v4/sources/{source_id}/sync`: stops the replication job, without waiting for its end.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_types::SourceId;

use crate::auth::Caller;
use crate::json::DoneView;
use crate::json::Json;
use crate::openapi::errors::JobError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Stop the replication job
///
/// Does not wait for its end. What has been extracted is still loaded. 200 also when no job runs.
#[utoipa::path(
    delete,
    path = "/v4/sources/{source_id}/sync",
    tag = "Replication jobs",
    params(SourcePath),
    responses(
        (status = 200, description = "The job has been told", body = DoneView),
        (status = 400, description = "`invalid_source`: unknown or deleted", body = JobError),
    ),
)]
pub(crate) async fn stop_sync(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<DoneView>, ApiError> {
    jobs::stop(&state.control, scope, source).await?;
    Ok(Json(DoneView::default()))
}
