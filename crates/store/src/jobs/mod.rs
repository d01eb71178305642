//! Jobs: the queue, its leases, and what came of every run.
//!
//! A job waits (`pending`), is claimed by a worker for the time of a lease (`running`), and ends. At most one job per
//! connection and mode waits or runs, and at most one per connection runs. A claim takes the connection's next fencing
//! number; whoever holds an older one can neither extend the lease, nor end the job, nor save a position.

mod claim;
mod history;
mod lease;
mod record;
mod stop;

use selvedge_types::job::{JobMode, JobName};
use selvedge_types::{AccountScope, SourceId, Timestamp};
use uuid::Uuid;

use crate::value::values;
use crate::{Connection, ReadTx, StoreError, Tx, connections};

pub use claim::{ClaimLimits, ClaimedJob, claim};
pub use history::{
    ActiveCount, CompletedExtraction, count_active, delete_older_than, last_completed_per_source,
};
pub use lease::{
    Heartbeat, JobResult, finish, give_back_leases, heartbeat, hold_fence, hold_lease,
    release_worker_leases,
};
pub use record::JobRecord;
pub(crate) use stop::stop_account;
pub use stop::{end_pending, request_stop, supersede_checks};

#[cfg(test)]
pub(crate) mod all_statements {
    pub(crate) use super::STATEMENTS as QUEUE;
    pub(crate) use super::claim::STATEMENTS as CLAIM;
    pub(crate) use super::history::STATEMENTS as HISTORY;
    pub(crate) use super::lease::STATEMENTS as LEASE;
    pub(crate) use super::stop::STATEMENTS as STOP;
}

use record::{columns, record};

const TABLE: &str = "jobs";

/// What became of asking for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// The job waits for a worker.
    Created(JobName),
    /// A job of the same connection and mode waits or runs already.
    AlreadyActive,
    /// The account has no such live connection.
    NoConnection,
}

statements! {
    INSERT = "insert into jobs (job_name, account_id, connection_kind, connection_id, mode, state, created_at, fence,
            attempts, row_count, size_bytes, streams_done, streams_total)
        values ($1, $2, $3, $4, $5, 'pending', $6, 0, 0, 0, 0, 0, 0)
        on conflict do nothing";
    FIND = concat!("select ", columns!(), "
        from jobs
        where account_id = $1
            and job_name = $2");
    ACTIVE = concat!("select ", columns!(), "
        from jobs
        where account_id = $1
            and connection_kind = $2
            and connection_id = $3
            and mode = $4
            and state in ('pending', 'running')");
    NEWEST = concat!("select ", columns!(), "
        from jobs
        where account_id = $1
            and connection_kind = $2
            and connection_id = $3
            and mode = $4
        order by id desc
        limit 1");
}

/// Puts a job into the queue. `uuid` makes its name unique.
pub async fn enqueue(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    mode: JobMode,
    uuid: Uuid,
    now: Timestamp,
) -> Result<Enqueued, StoreError> {
    if !connections::lock_live(tx, scope, connection).await? {
        return Ok(Enqueued::NoConnection);
    }
    let name = JobName {
        account: scope.account(),
        connection: connection.id(),
        mode,
        uuid,
    };
    let values = values![
        name.to_string(),
        scope,
        connection.kind(),
        connection.id(),
        mode.as_str(),
        now
    ];
    Ok(match tx.execute(INSERT, values).await? {
        0 => Enqueued::AlreadyActive,
        _ => Enqueued::Created(name),
    })
}

pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    name: &JobName,
) -> Result<Option<JobRecord>, StoreError> {
    let row = tx
        .fetch_optional(FIND, values![scope, name.to_string()])
        .await?;
    row.as_ref().map(record).transpose()
}

/// The job of this connection and mode that waits or runs.
pub async fn active(
    tx: &mut ReadTx,
    scope: AccountScope,
    connection: Connection,
    mode: JobMode,
) -> Result<Option<JobRecord>, StoreError> {
    let values = values![scope, connection.kind(), connection.id(), mode.as_str()];
    let row = tx.fetch_optional(ACTIVE, values).await?;
    row.as_ref().map(record).transpose()
}

/// The newest job of this connection and mode, in whatever state.
pub async fn newest(
    tx: &mut ReadTx,
    scope: AccountScope,
    connection: Connection,
    mode: JobMode,
) -> Result<Option<JobRecord>, StoreError> {
    let values = values![scope, connection.kind(), connection.id(), mode.as_str()];
    let row = tx.fetch_optional(NEWEST, values).await?;
    row.as_ref().map(record).transpose()
}

/// The newest check of a connection, in whatever state.
pub async fn latest_check(
    tx: &mut ReadTx,
    scope: AccountScope,
    connection: Connection,
) -> Result<Option<JobRecord>, StoreError> {
    newest(tx, scope, connection, JobMode::Check).await
}

/// Start of the source's newest sync job; while it waits for a worker, when it was asked for.
pub async fn newest_sync_start(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Option<Timestamp>, StoreError> {
    let job = newest(tx, scope, source.into(), JobMode::Sync).await?;
    Ok(job.map(|job| job.started_at.unwrap_or(job.created_at)))
}
