//! Streams of a source: what discovery found, what the user chose, and how far reading got.

mod discovery;
mod position;

use selvedge_types::{AccountScope, SourceId, StreamId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

pub use discovery::{DiscoveredRow, replace_discovered};
pub use position::{PositionUpdate, save_position, start_new_epochs};

#[cfg(test)]
pub(crate) use discovery::STATEMENTS as DISCOVERY_STATEMENTS;
#[cfg(test)]
pub(crate) use position::STATEMENTS as POSITION_STATEMENTS;

const TABLE: &str = "streams";

/// A stream without its schema: enough for lists, and light at thousands of streams.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSummary {
    pub id: StreamId,
    pub tap_stream_id: String,
    pub stream_name: String,
    /// Discovered stream-level metadata, for example `table-key-properties`.
    pub metadata: Map<String, Json>,
    /// What the user set, in the form the caller gave it; `{}` at first.
    pub choices: Json,
}

/// A stream with everything.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    pub id: StreamId,
    pub source: SourceId,
    pub tap_stream_id: String,
    pub stream_name: String,
    /// Discovered schema of the fields.
    pub schema: Json,
    /// Discovered stream-level metadata.
    pub metadata: Map<String, Json>,
    /// Discovered field-level metadata.
    pub field_metadata: Json,
    /// What the user set, in the form the caller gave it; `{}` at first.
    pub choices: Json,
    /// How far reading got, in the form the caller gave it; `None` before the first position and after a reset.
    pub position: Option<Json>,
    /// Counts the stream's lives: see [`reset`] and [`start_new_epochs`].
    pub epoch: i64,
    /// The last discovery that saw the stream.
    pub discovered_at: Timestamp,
    /// Since when discovery sees the stream no more.
    pub removed_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, source_id, tap_stream_id, stream_name, schema, metadata, field_metadata, choices, position, epoch,
            discovered_at, removed_at"
    };
}

statements! {
    LIST = "select id, tap_stream_id, stream_name, metadata, choices
        from streams
        where account_id = $1
            and source_id = $2
            and removed_at is null
        order by id";
    LIST_TAP_STREAM_IDS = "select tap_stream_id
        from streams
        where account_id = $1
            and source_id = $2
            and removed_at is null
        order by id";
    LIST_RECORDS = concat!("select ", columns!(), "
        from streams
        where account_id = $1
            and source_id = $2
            and removed_at is null
            and id > $3
        order by id
        limit $4");
    FIND = concat!("select ", columns!(), "
        from streams
        where account_id = $1
            and source_id = $2
            and id = $3
            and removed_at is null");
    FIND_BY_TAP_STREAM_ID = concat!("select ", columns!(), "
        from streams
        where account_id = $1
            and source_id = $2
            and tap_stream_id = $3
            and removed_at is null");
    SET_CHOICES = "update streams
        set choices = $4
        where account_id = $1
            and source_id = $2
            and tap_stream_id = $3
            and removed_at is null";
    RESET = "update streams
        set position = null, position_fence = null, epoch = epoch + 1
        where account_id = $1
            and source_id = $2
            and tap_stream_id = $3";
}

/// The streams that discovery sees, in the order in which it first saw them.
pub async fn list(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<StreamSummary>, StoreError> {
    tx.fetch_all(LIST, values![scope, source])
        .await?
        .iter()
        .map(|row| {
            let id = StreamId(row.integer("id")?);
            Ok(StreamSummary {
                id,
                tap_stream_id: row.text("tap_stream_id")?,
                stream_name: row.text("stream_name")?,
                metadata: row.object(TABLE, "metadata", id)?,
                choices: row.json(TABLE, "choices", id)?,
            })
        })
        .collect()
}

/// The source's own names for these streams, in the same order.
pub async fn list_tap_stream_ids(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<String>, StoreError> {
    tx.fetch_all(LIST_TAP_STREAM_IDS, values![scope, source])
        .await?
        .iter()
        .map(|row| row.text("tap_stream_id"))
        .collect()
}

/// The same streams with everything, `limit` at most, behind `after`.
pub async fn list_records(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
    after: Option<StreamId>,
    limit: u32,
) -> Result<Vec<StreamRecord>, StoreError> {
    let values = values![scope, source, after.map_or(0, |id| id.0), i64::from(limit)];
    tx.fetch_all(LIST_RECORDS, values)
        .await?
        .iter()
        .map(record)
        .collect()
}

/// The stream, unless discovery sees it no more.
pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
    id: StreamId,
) -> Result<Option<StreamRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, source, id]).await?;
    row.as_ref().map(record).transpose()
}

/// The same by the source's own name for it.
pub async fn find_by_tap_stream_id(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
    tap_stream_id: &str,
) -> Result<Option<StreamRecord>, StoreError> {
    let row = tx
        .fetch_optional(FIND_BY_TAP_STREAM_ID, values![scope, source, tap_stream_id])
        .await?;
    row.as_ref().map(record).transpose()
}

/// Stores what the user chose. `false` when discovery sees no such stream.
pub async fn set_choices(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    tap_stream_id: &str,
    choices: &Json,
) -> Result<bool, StoreError> {
    let values = values![scope, source, tap_stream_id, choices.to_string()];
    Ok(tx.execute(SET_CHOICES, values).await? == 1)
}

/// Forgets how far reading got and starts a new epoch: a run that is under way cannot save its position any more, and what
/// the destination remembers of the old epoch undoes nothing. `false` when there is no such stream.
pub async fn reset(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    tap_stream_id: &str,
) -> Result<bool, StoreError> {
    let values = values![scope, source, tap_stream_id];
    Ok(tx.execute(RESET, values).await? == 1)
}

fn record(row: &Row) -> Result<StreamRecord, StoreError> {
    let id = StreamId(row.integer("id")?);
    Ok(StreamRecord {
        id,
        source: SourceId(row.integer("source_id")?),
        tap_stream_id: row.text("tap_stream_id")?,
        stream_name: row.text("stream_name")?,
        schema: row.json(TABLE, "schema", id)?,
        metadata: row.object(TABLE, "metadata", id)?,
        field_metadata: row.json(TABLE, "field_metadata", id)?,
        choices: row.json(TABLE, "choices", id)?,
        position: row.optional_json(TABLE, "position", id)?,
        epoch: row.integer("epoch")?,
        discovered_at: row.time("discovered_at")?,
        removed_at: row.optional_time("removed_at")?,
    })
}
