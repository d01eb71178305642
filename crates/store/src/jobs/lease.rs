//! What the holder of a lease does with it. Every statement asks whether the lease is still held.

use selvedge_types::Timestamp;
use selvedge_types::job::{JobName, JobOutcome, JobProgress, JobState, PhaseOutcome};

use crate::value::values;
use crate::{Connection, StoreError, Tx};

/// What a worker hears when it extends its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    Continue,
    /// The lease is extended, and the job is to stop.
    StopRequested,
    /// The job belongs to somebody else, or has ended: leave everything as it is.
    Lost,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobResult {
    /// An ended state.
    pub state: JobState,
    pub outcome: JobOutcome,
    /// The phase that only checks have.
    pub check: PhaseOutcome,
    pub progress: JobProgress,
}

macro_rules! holds_lease {
    () => {
        "job_name = $1
            and fence = $2
            and state = 'running'
            and exists (
                select 1
                from fences
                where fences.kind = jobs.connection_kind
                    and fences.id = jobs.connection_id
                    and fences.fence = jobs.fence
            )"
    };
}

statements! {
    HEARTBEAT = concat!("update jobs
        set lease_expires_at = $3, row_count = $4, size_bytes = $5, streams_done = $6, streams_total = $7
        where ", holds_lease!(), "
        returning stop_requested_at");
    FINISH = concat!("update jobs
        set state = $3, completed_at = $4, lease_expires_at = null, discovery_exit_status = $5,
            discovery_description = $6, tap_exit_status = $7, tap_description = $8, target_exit_status = $9,
            target_description = $10, check_exit_status = $11, check_description = $12, row_count = $13,
            size_bytes = $14, streams_done = $15, streams_total = $16
        where ", holds_lease!());
    HOLD_FENCE = "update fences
        set fence = fence
        where kind = $1
            and id = $2
            and fence = $3";
    HOLD_LEASE = concat!("update jobs
        set fence = fence
        where ", holds_lease!(), "
        returning connection_kind, connection_id");
    RELEASE = "update jobs
        set lease_expires_at = $2
        where state = 'running'
            and state in ('pending', 'running')
            and substr(lease_owner, 1, length($1)) = $1
            and lease_expires_at > $2";
    GIVE_BACK = "update jobs
        set lease_expires_at = $2, attempts = attempts - 1
        where state = 'running'
            and state in ('pending', 'running')
            and lease_owner = $1
            and lease_expires_at > $2";
}

/// Extends the lease to `lease_seconds` from `now` on, and notes the progress.
pub async fn heartbeat(
    tx: &mut Tx,
    job: &JobName,
    fence: i64,
    now: Timestamp,
    lease_seconds: i64,
    progress: &JobProgress,
) -> Result<Heartbeat, StoreError> {
    let values = values![
        job.to_string(),
        fence,
        now.plus_seconds(lease_seconds),
        stored(progress.row_count),
        stored(progress.size_bytes),
        i64::from(progress.streams_done),
        i64::from(progress.streams_total),
    ];
    Ok(match tx.fetch_optional(HEARTBEAT, values).await? {
        None => Heartbeat::Lost,
        Some(row) if row.optional_time("stop_requested_at")?.is_some() => Heartbeat::StopRequested,
        Some(_) => Heartbeat::Continue,
    })
}

/// Ends a job. `false` when the lease was lost: nothing is changed then.
pub async fn finish(
    tx: &mut Tx,
    job: &JobName,
    fence: i64,
    result: &JobResult,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = |phase: &PhaseOutcome| phase.exit_status.map(i64::from);
    let JobOutcome {
        discovery,
        tap,
        target,
    } = &result.outcome;
    let values = values![
        job.to_string(),
        fence,
        result.state.as_str(),
        now,
        status(discovery),
        discovery.description.as_deref(),
        status(tap),
        tap.description.as_deref(),
        status(target),
        target.description.as_deref(),
        status(&result.check),
        result.check.description.as_deref(),
        stored(result.progress.row_count),
        stored(result.progress.size_bytes),
        i64::from(result.progress.streams_done),
        i64::from(result.progress.streams_total),
    ];
    Ok(tx.execute(FINISH, values).await? == 1)
}

/// Whether `fence` is the connection's newest. If so, no other job of the connection can be claimed before this transaction
/// ends.
pub async fn hold_fence(
    tx: &mut Tx,
    connection: Connection,
    fence: i64,
) -> Result<bool, StoreError> {
    let values = values![connection.kind(), connection.id(), fence];
    Ok(tx.execute(HOLD_FENCE, values).await? == 1)
}

/// Whether the job still runs under this fence. If so, it can neither be claimed by somebody else nor replaced before this
/// transaction ends. For whatever a job writes besides its own row; first in the transaction, because claims lock the job
/// before its fence too.
pub async fn hold_lease(tx: &mut Tx, job: &JobName, fence: i64) -> Result<bool, StoreError> {
    let name = job.to_string();
    let values = values![name.as_str(), fence];
    let Some(row) = tx.fetch_optional(HOLD_LEASE, values).await? else {
        return Ok(false);
    };
    let connection = super::record::connection(&row, &name)?;
    hold_fence(tx, connection, fence).await
}

/// Ends the leases of workers whose name begins with `owner_prefix`, so that their jobs can be claimed at once. For the
/// start of a process that knows that its predecessor is gone. Answers with the number of jobs.
pub async fn release_worker_leases(
    tx: &mut Tx,
    owner_prefix: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(RELEASE, values![owner_prefix, now]).await
}

/// Ends the leases of a worker that ends in good order: its jobs can be claimed at once, and since nothing went wrong this
/// claim does not count among their attempts. Answers with the number of jobs.
pub async fn give_back_leases(tx: &mut Tx, owner: &str, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(GIVE_BACK, values![owner, now]).await
}

/// Counts beyond 2^63 do not occur; should one, the largest number is nearer to the truth than a negative one.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
