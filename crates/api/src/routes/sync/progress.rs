//! `GET /v4/sources/{source_id}/sync`: how far the running job has come. An addition of this server.
//!
//! Answers `null` when no job waits or runs, otherwise
//!
//! ```json
//! {"job_name": "140217.151834.sync.7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f", "state": "running",
//!  "created_at": "2031-02-03T05:00:00Z", "started_at": "2031-02-03T05:00:01Z", "stop_requested_at": null,
//!  "row_count": 120000, "size_bytes": 9600000, "rows_per_second": 24000.0, "streams_done": 1, "streams_total": 3}
//! ```
//!
//! `state` is `pending` or `running`; the numbers are as of the job's last sign of life. Unknown sources are refused as by
//! `POST`; a deleted source may still have a job that is being stopped.

use axum::extract::State;
use selvedge_control::jobs::{self, RunningJob};
use selvedge_types::{SourceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::JobError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = RunningJob)]
pub(crate) struct ProgressView {
    job_name: String,
    /// `pending` or `running`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    stop_requested_at: Option<Timestamp>,
    row_count: u64,
    size_bytes: u64,
    rows_per_second: f64,
    streams_done: u32,
    streams_total: u32,
}

impl From<RunningJob> for ProgressView {
    fn from(job: RunningJob) -> Self {
        Self {
            job_name: job.name.to_string(),
            state: job.state.as_str(),
            created_at: job.created_at,
            started_at: job.started_at,
            stop_requested_at: job.stop_requested_at,
            row_count: job.progress.row_count,
            size_bytes: job.progress.size_bytes,
            rows_per_second: job.rows_per_second,
            streams_done: job.progress.streams_done,
            streams_total: job.progress.streams_total,
        }
    }
}

/// Watch the replication job
///
/// How far the job has come that waits or runs. An addition of this server.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}/sync",
    tag = "Replication jobs",
    params(SourcePath),
    responses(
        (status = 200, description = "The job, as of its last sign of life; null when there is none", body = Option<ProgressView>),
        (status = 400, description = "`invalid_source`: unknown", body = JobError),
    ),
)]
pub(crate) async fn sync_progress(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Option<ProgressView>>, ApiError> {
    let job = jobs::progress(&state.control, scope, source).await?;
    Ok(Json(job.map(Into::into)))
}
