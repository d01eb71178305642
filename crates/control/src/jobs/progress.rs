//! How far the job of a source has come.

use selvedge_store::{jobs, sources};
use selvedge_types::job::{JobMode, JobName, JobProgress, JobState};
use selvedge_types::{AccountScope, SourceId, Timestamp};

use crate::{Control, ControlError};

/// A job that waits or runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningJob {
    pub name: JobName,
    /// Pending or running.
    pub state: JobState,
    pub created_at: Timestamp,
    /// `None` while it waits.
    pub started_at: Option<Timestamp>,
    pub stop_requested_at: Option<Timestamp>,
    /// As of the job's last sign of life.
    pub progress: JobProgress,
    /// Mean since the start.
    pub rows_per_second: f64,
}

/// The job of a source that waits or runs; `None` when there is none.
pub async fn progress(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<RunningJob>, ControlError> {
    let mut tx = control.store().read().await?;
    sources::find(&mut tx, scope, id)
        .await?
        .ok_or_else(|| ControlError::NoSourceToRun(scope.account(), id))?;
    let job = jobs::active(&mut tx, scope, id.into(), JobMode::Sync).await?;
    Ok(job.map(|job| RunningJob {
        rows_per_second: rate(job.progress.row_count, job.started_at, control.now()),
        name: job.name,
        state: job.state,
        created_at: job.created_at,
        started_at: job.started_at,
        stop_requested_at: job.stop_requested_at,
        progress: job.progress,
    }))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate for people; beyond 2^53 rows the last digit does not matter"
)]
fn rate(row_count: u64, started_at: Option<Timestamp>, now: Timestamp) -> f64 {
    let micros = started_at.map_or(0, |started_at| now.as_micros() - started_at.as_micros());
    if micros <= 0 {
        return 0.0;
    }
    (row_count as f64 * 1e6 / micros as f64).round()
}
