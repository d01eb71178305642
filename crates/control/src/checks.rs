//! Connection checks: queued when settings change, carried out by a worker, read by the caller.

use selvedge_store::jobs::{ClaimedJob, Enqueued, JobRecord, JobResult};
use selvedge_store::{Connection, Tx, connections, destinations, jobs, sources as stored_sources};
use selvedge_types::AccountScope;
use selvedge_types::job::{JobMode, JobName, JobOutcome, JobProgress, JobState, PhaseOutcome};
use uuid::Uuid;

use crate::{Control, ControlError, sources};

/// What a check found: discovery first (sources that have streams), then the connection itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckResult {
    pub discovery: PhaseOutcome,
    pub check: PhaseOutcome,
}

impl CheckResult {
    /// A check succeeds when the connection was tested and nothing failed.
    fn state(&self) -> JobState {
        if self.discovery.is_failed() || self.check.is_failed() {
            JobState::Failed
        } else if self.check.exit_status == Some(0) {
            JobState::Succeeded
        } else {
            JobState::Terminated
        }
    }
}

/// Queues a check of a live connection in place of the one that waits or runs, and notes it as the newest.
pub(crate) async fn enqueue(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
) -> Result<JobName, ControlError> {
    let now = control.now();
    jobs::supersede_checks(tx, scope, connection, now).await?;
    let queued = jobs::enqueue(tx, scope, connection, JobMode::Check, Uuid::new_v4(), now).await?;
    let Enqueued::Created(name) = queued else {
        // The caller holds the connection, and no check of it was left a line above.
        return Err(ControlError::NotFound);
    };
    connections::set_check_job(tx, scope, connection, &name).await?;
    Ok(name)
}

/// Ends a check that a worker has carried out. After success a source counts as discovered, and a
/// destination as one to load into on schedule. `false` when the worker has
/// lost its lease: nothing is changed then.
pub async fn complete(
    control: &Control,
    job: &ClaimedJob,
    result: CheckResult,
) -> Result<bool, ControlError> {
    let now = control.now();
    let state = result.state();
    let result = JobResult {
        state,
        outcome: JobOutcome {
            discovery: result.discovery,
            ..JobOutcome::default()
        },
        check: result.check,
        progress: JobProgress::default(),
    };
    let mut tx = control.store().begin().await?;
    // The connection before its jobs, as everybody locks them.
    connections::lock(&mut tx, job.scope, job.connection).await?;
    if !jobs::finish(&mut tx, &job.name, job.fence, &result, now).await? {
        return Ok(false);
    }
    match (job.connection, state) {
        (Connection::Source(source), JobState::Succeeded) => {
            stored_sources::mark_discovered(&mut tx, job.scope, source, now).await?;
            sources::refresh(control, &mut tx, job.scope, source).await?;
        }
        (Connection::Destination(destination), JobState::Succeeded) => {
            destinations::mark_verified(&mut tx, job.scope, destination, now).await?;
        }
        _ => {}
    }
    tx.commit().await?;
    Ok(true)
}

/// The newest check of a live connection. [`ControlError::NotFound`] when there is no such connection or it was never
/// checked.
pub async fn last(
    control: &Control,
    scope: AccountScope,
    connection: Connection,
) -> Result<JobRecord, ControlError> {
    let mut tx = control.store().read().await?;
    if !connections::is_live(&mut tx, scope, connection).await? {
        return Err(ControlError::NotFound);
    }
    jobs::latest_check(&mut tx, scope, connection)
        .await?
        .ok_or(ControlError::NotFound)
}
