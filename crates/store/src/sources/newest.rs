//! Sources together with their newest synchronisation: what showing them takes, in one statement.

use selvedge_types::{AccountScope, SourceId, Timestamp};

use super::{SourceRecord, columns, record};
use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError};

/// When the newest synchronisation of a source was asked for, began and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewestSync {
    pub created_at: Timestamp,
    /// First claim; `None` for a job that was ended before it began.
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

macro_rules! with_newest {
    () => {
        concat!("select ", columns!(), ", newest_created_at, newest_started_at, newest_completed_at
        from sources
        left join (
            select jobs.id as newest_id, jobs.created_at as newest_created_at, jobs.started_at as newest_started_at,
                jobs.completed_at as newest_completed_at
            from jobs
        ) as newest on newest.newest_id = (
            select jobs.id
            from jobs
            where jobs.account_id = $1
                and jobs.connection_kind = 'source'
                and jobs.connection_id = sources.id
                and jobs.mode = 'sync'
            order by jobs.id desc
            limit 1
        )
        where sources.account_id = $1")
    };
}

statements! {
    FIND = concat!(with_newest!(), "
            and sources.id = $2");
    LIST = concat!(with_newest!(), "
        order by sources.id");
}

/// The source, also when it is deleted.
pub async fn find_with_newest(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<(SourceRecord, Option<NewestSync>)>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, id]).await?;
    row.map(|row| Ok((record(tx, scope, &row)?, newest(&row)?)))
        .transpose()
}

/// All sources of the account, deleted ones included, in the order of their ids.
pub async fn list_with_newest(
    tx: &mut ReadTx,
    scope: AccountScope,
) -> Result<Vec<(SourceRecord, Option<NewestSync>)>, StoreError> {
    let rows = tx.fetch_all(LIST, values![scope]).await?;
    rows.iter()
        .map(|row| Ok((record(tx, scope, row)?, newest(row)?)))
        .collect()
}

fn newest(row: &Row) -> Result<Option<NewestSync>, StoreError> {
    let Some(created_at) = row.optional_time("newest_created_at")? else {
        return Ok(None);
    };
    Ok(Some(NewestSync {
        created_at,
        started_at: row.optional_time("newest_started_at")?,
        completed_at: row.optional_time("newest_completed_at")?,
    }))
}
