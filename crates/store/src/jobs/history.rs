//! Looking back at jobs, and forgetting them.

use selvedge_types::job::{JobMode, JobName, JobState};
use selvedge_types::{AccountScope, Timestamp};

use super::TABLE;
use super::record::{JobRecord, columns, job_name, record};
use crate::value::values;
use crate::{Page, Paged, ReadTx, StoreError, Tx};

/// The last completed sync of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedExtraction {
    pub job: JobRecord,
    pub source_type: String,
}

/// How many jobs wait or run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveCount {
    pub mode: JobMode,
    pub state: JobState,
    pub count: u64,
}

macro_rules! completed_syncs_of_source {
    () => {
        "from jobs as completed
                where completed.account_id = $1
                    and completed.connection_kind = 'source'
                    and completed.connection_id = sources.id
                    and completed.mode = 'sync'
                    and completed.started_at is not null
                    and completed.completed_at >= $2"
    };
}

statements! {
    LAST_COMPLETED = concat!("select ", columns!(), ", sources.type as source_type
        from sources
        join jobs on jobs.id = (
                select completed.id
                ", completed_syncs_of_source!(), "
                order by completed.id desc
                limit 1
            )
        where sources.account_id = $1
        order by sources.id
        limit $3
        offset $4");
    COUNT_COMPLETED = concat!("select count(*) as total
        from sources
        where sources.account_id = $1
            and exists (
                select 1
                ", completed_syncs_of_source!(), "
            )");
    COUNT_ACTIVE = "select mode, state, count(*) as job_count
        from jobs
        where state in ('pending', 'running')
        group by mode, state
        order by mode, state";
    DELETE_OLDER_THAN = "delete from jobs
        where id in (
            select old.id
            from jobs as old
            where old.completed_at < $1
                and (
                    old.mode <> 'check'
                    or exists (
                        select 1
                        from jobs as newer
                        where newer.connection_kind = old.connection_kind
                            and newer.connection_id = old.connection_id
                            and newer.mode = old.mode
                            and newer.id > old.id
                    )
                )
            order by old.completed_at
            limit $2
        )
        returning job_name";
}

/// Per source of the account, deleted ones included, its last sync that began and ended at or after `since`, by source id.
pub async fn last_completed_per_source(
    tx: &mut ReadTx,
    scope: AccountScope,
    since: Timestamp,
    page: Page,
) -> Result<Paged<CompletedExtraction>, StoreError> {
    let total = tx
        .fetch_one(COUNT_COMPLETED, values![scope, since])
        .await?
        .integer("total")?
        .unsigned_abs();
    let values = values![scope, since, page.limit(), page.offset()];
    let items = tx
        .fetch_all(LAST_COMPLETED, values)
        .await?
        .iter()
        .map(|row| {
            Ok(CompletedExtraction {
                job: record(row)?,
                source_type: row.text("source_type")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Paged { items, total })
}

/// How many jobs wait and run over all accounts, for metrics.
pub async fn count_active(tx: &mut ReadTx) -> Result<Vec<ActiveCount>, StoreError> {
    tx.fetch_all(COUNT_ACTIVE, values![])
        .await?
        .iter()
        .map(|row| {
            let (mode, state) = (row.text("mode")?, row.text("state")?);
            Ok(ActiveCount {
                mode: JobMode::parse(&mode)
                    .ok_or_else(|| StoreError::corrupt(TABLE, "mode", &mode))?,
                state: JobState::parse(&state)
                    .ok_or_else(|| StoreError::corrupt(TABLE, "state", &state))?,
                count: row.integer("job_count")?.unsigned_abs(),
            })
        })
        .collect()
}

/// Forgets at most `limit` jobs that ended before `before`, oldest first, and answers with their names, so that their logs
/// can go too. The newest check of a connection stays: its result is part of the connection.
pub async fn delete_older_than(
    tx: &mut Tx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<JobName>, StoreError> {
    tx.fetch_all(DELETE_OLDER_THAN, values![before, i64::from(limit)])
        .await?
        .iter()
        .map(job_name)
        .collect()
}
