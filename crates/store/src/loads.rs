//! Loads: the newest load attempt of each stream.

use selvedge_types::{AccountScope, SourceId, Timestamp};
use serde_json::Value as Json;

use crate::value::values;
use crate::{Page, Paged, ReadTx, StoreError, Tx};

/// The newest load attempt of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadRecord {
    pub source: SourceId,
    pub source_name: String,
    pub stream_name: String,
    /// Time of the last loaded batch; `None` while the stream is in error.
    pub last_batch_loaded_at: Option<Timestamp>,
    /// What went wrong; `None` after success.
    pub error_state: Option<Json>,
    /// Rows of the last load that succeeded.
    pub row_count: u64,
    /// Time of the attempt.
    pub updated_at: Timestamp,
}

statements! {
    RECORD_SUCCESS = "insert into loads (account_id, source_id, source_name, stream_name, last_batch_loaded_at, error_state,
            row_count, updated_at)
        select account_id, id, name, $3, $5, null, $4, $5
        from sources
        where account_id = $1
            and id = $2
        on conflict (source_id, stream_name) do update
        set last_batch_loaded_at = excluded.last_batch_loaded_at, error_state = null, row_count = excluded.row_count,
            updated_at = excluded.updated_at";
    RECORD_FAILURE = "insert into loads (account_id, source_id, source_name, stream_name, last_batch_loaded_at, error_state,
            row_count, updated_at)
        select account_id, id, name, $3, null, $4, 0, $5
        from sources
        where account_id = $1
            and id = $2
        on conflict (source_id, stream_name) do update
        set last_batch_loaded_at = null, error_state = excluded.error_state, updated_at = excluded.updated_at";
    LIST = "select source_id, source_name, stream_name, last_batch_loaded_at, error_state, row_count, updated_at
        from loads
        where account_id = $1
            and updated_at >= $2
        order by stream_name, source_name, source_id
        limit $3
        offset $4";
    COUNT = "select count(*) as total
        from loads
        where account_id = $1
            and updated_at >= $2";
}

/// Notes that a batch of a stream was loaded. `false` when the account has no such source.
pub async fn record_success(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    stream_name: &str,
    row_count: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row_count = i64::try_from(row_count).unwrap_or(i64::MAX);
    let values = values![scope, source, stream_name, row_count, now];
    Ok(tx.execute(RECORD_SUCCESS, values).await? == 1)
}

/// Notes that loading a stream failed. `false` when the account has no such source.
pub async fn record_failure(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    stream_name: &str,
    error_state: &Json,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = values![scope, source, stream_name, error_state.to_string(), now];
    Ok(tx.execute(RECORD_FAILURE, values).await? == 1)
}

/// The newest attempts since `since`, by stream name and source name.
pub async fn list_page(
    tx: &mut ReadTx,
    scope: AccountScope,
    since: Timestamp,
    page: Page,
) -> Result<Paged<LoadRecord>, StoreError> {
    let total = tx
        .fetch_one(COUNT, values![scope, since])
        .await?
        .integer("total")?
        .unsigned_abs();
    let items = tx
        .fetch_all(LIST, values![scope, since, page.limit(), page.offset()])
        .await?
        .iter()
        .map(|row| {
            let source = SourceId(row.integer("source_id")?);
            Ok(LoadRecord {
                source,
                source_name: row.text("source_name")?,
                stream_name: row.text("stream_name")?,
                last_batch_loaded_at: row.optional_time("last_batch_loaded_at")?,
                error_state: row.optional_json("loads", "error_state", source)?,
                row_count: row.integer("row_count")?.unsigned_abs(),
                updated_at: row.time("updated_at")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Paged { items, total })
}
