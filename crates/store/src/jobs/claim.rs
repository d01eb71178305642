//! Claiming: how a worker gets a job that nobody else gets.

use selvedge_types::job::{JobMode, JobName};
use selvedge_types::{AccountScope, Timestamp};

use super::record::{connection, job_name};
use crate::tx::Dialect;
use crate::value::values;
use crate::{Connection, StoreError, Tx};

/// What a worker may claim now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// Whether the worker has room for a check.
    pub checks: bool,
    /// Whether the worker has room for a sync.
    pub syncs: bool,
    /// Most syncs that one account may have running, over all workers.
    pub running_syncs_per_account: u32,
}

/// A job that now belongs to the caller, until its lease expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    pub name: JobName,
    pub scope: AccountScope,
    pub connection: Connection,
    pub mode: JobMode,
    /// Greater than every fence that the connection had before; microseconds of the clock at the claim, as a rule.
    pub fence: i64,
    /// How often the job has been claimed, this time included: more than 1 after a worker was lost.
    pub attempts: i64,
    /// Whether the job was to stop before its last worker was lost.
    pub stop_requested: bool,
    pub created_at: Timestamp,
    /// The first claim.
    pub started_at: Timestamp,
}

/// How often a claim looks for another candidate after somebody else was faster.
const ATTEMPTS: u32 = 8;

/// Whether a job (`jobs`) may start at `$1`: no other job of its connection runs, which could only be one of the other mode,
/// and for a sync its account has room (`$2`). A job counts as running for as long as its lease is alive. The conditions on
/// `state` repeat those of the partial indexes, which keep the ended jobs out of sight.
macro_rules! may_start {
    () => {
        "not exists (
                select 1
                from jobs as rivals
                where rivals.connection_kind = jobs.connection_kind
                    and rivals.connection_id = jobs.connection_id
                    and rivals.mode = case jobs.mode when 'check' then 'sync' else 'check' end
                    and rivals.state in ('pending', 'running')
                    and rivals.state = 'running'
                    and rivals.lease_expires_at > $1
            )
            and (
                jobs.mode = 'check'
                or (
                    select count(*)
                    from jobs as siblings
                    where siblings.account_id = jobs.account_id
                        and siblings.mode = 'sync'
                        and siblings.state = 'running'
                        and siblings.lease_expires_at > $1
                ) < $2
            )"
    };
}

macro_rules! candidate {
    () => {
        concat!(
            "select jobs.id, jobs.job_name, jobs.connection_kind, jobs.connection_id
        from jobs
        where jobs.mode = $3
            and jobs.state in ('pending', 'running')
            and (jobs.state = 'pending' or jobs.lease_expires_at <= $1)
            and ",
            may_start!(),
            "
        order by jobs.id
        limit 1"
        )
    };
}

statements! {
    CANDIDATE_SQLITE = candidate!();
    CANDIDATE_POSTGRES = concat!(candidate!(), "
        for update of jobs skip locked");
    /// Reads a fence and keeps everybody else from changing it: claims of one connection, and of one account, take turns.
    LOCK_FENCE = "insert into fences (kind, id, fence)
        values ($1, $2, 0)
        on conflict (kind, id) do update
        set fence = fences.fence
        returning fence";
    /// Asks again what the candidate was chosen for: another claim may have ended while this one waited for its turn.
    CLAIM = concat!("update jobs
        set state = 'running', started_at = coalesce(started_at, $1), lease_owner = $4, lease_expires_at = $5,
            fence = $6, attempts = attempts + 1
        where id = $3
            and (state = 'pending' or (state = 'running' and lease_expires_at <= $1))
            and ", may_start!(), "
        returning attempts, stop_requested_at, created_at, started_at");
    RAISE_FENCE = "update fences
        set fence = $3
        where kind = $1
            and id = $2";
}

/// Claims the next job that may start, for `lease_seconds` from `now` on: checks first, because somebody is waiting in front
/// of a screen, then in the order of asking. The job is the caller's once the transaction has committed.
pub async fn claim(
    tx: &mut Tx,
    worker: &str,
    now: Timestamp,
    lease_seconds: i64,
    limits: &ClaimLimits,
) -> Result<Option<ClaimedJob>, StoreError> {
    let room = i64::from(limits.running_syncs_per_account);
    let expires_at = now.plus_seconds(lease_seconds);
    for (mode, wanted) in [
        (JobMode::Check, limits.checks),
        (JobMode::Sync, limits.syncs),
    ] {
        if !wanted {
            continue;
        }
        let claimed = claim_mode(tx, worker, now, expires_at, mode, room).await?;
        if claimed.is_some() {
            return Ok(claimed);
        }
    }
    Ok(None)
}

async fn claim_mode(
    tx: &mut Tx,
    worker: &str,
    now: Timestamp,
    expires_at: Timestamp,
    mode: JobMode,
    room: i64,
) -> Result<Option<ClaimedJob>, StoreError> {
    let candidate = match tx.dialect() {
        Dialect::Sqlite => CANDIDATE_SQLITE,
        Dialect::Postgres => CANDIDATE_POSTGRES,
    };
    for _ in 0..ATTEMPTS {
        let Some(row) = tx
            .fetch_optional(candidate, values![now, room, mode.as_str()])
            .await?
        else {
            return Ok(None);
        };
        let name = job_name(&row)?;
        let connection = connection(&row, &name.to_string())?;
        let scope = AccountScope::of(name.account);
        if mode == JobMode::Sync {
            tx.fetch_one(LOCK_FENCE, values!["account", scope]).await?;
        }
        let newest = tx
            .fetch_one(LOCK_FENCE, values![connection.kind(), connection.id()])
            .await?
            .integer("fence")?;
        // Destinations remember fences too, and may outlive this store: one that begins anew, with the same ids, must not
        // be taken for a late loser.
        let fence = now.as_micros().max(newest + 1);
        let id = row.integer("id")?;
        let values = values![now, room, id, worker, expires_at, fence];
        let Some(claimed) = tx.fetch_optional(CLAIM, values).await? else {
            continue;
        };
        tx.execute(
            RAISE_FENCE,
            values![connection.kind(), connection.id(), fence],
        )
        .await?;
        return Ok(Some(ClaimedJob {
            scope,
            connection,
            mode,
            fence,
            attempts: claimed.integer("attempts")?,
            stop_requested: claimed.optional_time("stop_requested_at")?.is_some(),
            created_at: claimed.time("created_at")?,
            started_at: claimed.time("started_at")?,
            name,
        }));
    }
    Ok(None)
}
