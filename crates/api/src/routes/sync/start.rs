//! `POST /v4/sources/{source_id}/sync`: starts a replication job.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_types::SourceId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::JobError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = StartedJob, examples(json!({"job_name": "140217.151834.sync.7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f"})))]
pub(crate) struct StartedJobView {
    /// `<account>.<source>.sync.<uuid>`; the extraction has the same name.
    job_name: String,
}

/// The job, or why none was started.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the refusal is written by error.rs")]
pub(crate) enum StartAnswer {
    Started(StartedJobView),
    AlreadyRunning(JobError),
}

/// Start a replication job
///
/// One job per source at a time; a paused source can be started too. The answer is 200 with an `error` when one is already running.
#[utoipa::path(
    post,
    path = "/v4/sources/{source_id}/sync",
    tag = "Replication jobs",
    params(SourcePath),
    responses(
        (status = 200, description = "The job's name; or `already_running`", body = StartAnswer),
        (status = 400, description = "`invalid_source`: unknown or deleted. `generic`: the source is not fully configured, has no destination, is paused by the system, or is of a type without jobs.", body = JobError),
    ),
)]
pub(crate) async fn start_sync(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<StartedJobView>, ApiError> {
    let name = jobs::start(&state.control, scope, source).await?;
    Ok(Json(StartedJobView {
        job_name: name.to_string(),
    }))
}
