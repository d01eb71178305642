//! A job as it is stored.

use selvedge_types::Timestamp;
use selvedge_types::job::{JobName, JobOutcome, JobProgress, JobState, PhaseOutcome};

use super::TABLE;
use crate::row::Row;
use crate::{Connection, StoreError};

/// A stored job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    pub name: JobName,
    pub connection: Connection,
    pub state: JobState,
    pub created_at: Timestamp,
    /// First claim; `None` for a job that was ended before it began.
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub stop_requested_at: Option<Timestamp>,
    /// The worker that claimed it last.
    pub lease_owner: Option<String>,
    pub lease_expires_at: Option<Timestamp>,
    /// The fencing number of the last claim; 0 before the first.
    pub fence: i64,
    /// How often it was claimed.
    pub attempts: i64,
    /// Of a sync job; a check uses its discovery only.
    pub outcome: JobOutcome,
    /// The phase that only checks have.
    pub check: PhaseOutcome,
    pub progress: JobProgress,
}

macro_rules! columns {
    () => {
        "jobs.job_name, jobs.connection_kind, jobs.connection_id, jobs.state, jobs.created_at, jobs.started_at,
            jobs.completed_at, jobs.stop_requested_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fence, jobs.attempts,
            jobs.discovery_exit_status, jobs.discovery_description, jobs.tap_exit_status, jobs.tap_description,
            jobs.target_exit_status, jobs.target_description, jobs.check_exit_status, jobs.check_description,
            jobs.row_count, jobs.size_bytes, jobs.streams_done, jobs.streams_total"
    };
}
pub(super) use columns;

pub(super) fn record(row: &Row) -> Result<JobRecord, StoreError> {
    let text = row.text("job_name")?;
    let corrupt = |column| StoreError::corrupt(TABLE, column, &text);
    let phase = |status: &'static str, description| {
        Ok::<_, StoreError>(PhaseOutcome {
            exit_status: row
                .optional_integer(status)?
                .map(i32::try_from)
                .transpose()
                .map_err(|_| corrupt(status))?,
            description: row.optional_text(description)?,
        })
    };
    let count = |column| row.integer(column).map(i64::unsigned_abs);
    let small_count = |column| u32::try_from(row.integer(column)?).map_err(|_| corrupt(column));
    Ok(JobRecord {
        name: text.parse().map_err(|_| corrupt("job_name"))?,
        connection: connection(row, &text)?,
        state: JobState::parse(&row.text("state")?).ok_or_else(|| corrupt("state"))?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        completed_at: row.optional_time("completed_at")?,
        stop_requested_at: row.optional_time("stop_requested_at")?,
        lease_owner: row.optional_text("lease_owner")?,
        lease_expires_at: row.optional_time("lease_expires_at")?,
        fence: row.integer("fence")?,
        attempts: row.integer("attempts")?,
        outcome: JobOutcome {
            discovery: phase("discovery_exit_status", "discovery_description")?,
            tap: phase("tap_exit_status", "tap_description")?,
            target: phase("target_exit_status", "target_description")?,
        },
        check: phase("check_exit_status", "check_description")?,
        progress: JobProgress {
            row_count: count("row_count")?,
            size_bytes: count("size_bytes")?,
            streams_done: small_count("streams_done")?,
            streams_total: small_count("streams_total")?,
        },
    })
}

pub(super) fn connection(row: &Row, name: &str) -> Result<Connection, StoreError> {
    Connection::parse(&row.text("connection_kind")?, row.integer("connection_id")?)
        .ok_or_else(|| StoreError::corrupt(TABLE, "connection_kind", name))
}

/// The name in a row whose `job_name` was selected.
pub(super) fn job_name(row: &Row) -> Result<JobName, StoreError> {
    let text = row.text("job_name")?;
    text.parse()
        .map_err(|_| StoreError::corrupt(TABLE, "job_name", &text))
}
