//! Storing what discovery found.

use std::collections::HashMap;

use selvedge_types::{AccountScope, SourceId, StreamId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::value::values;
use crate::{StoreError, Tx};

/// One discovered stream.
#[derive(Clone, Debug, PartialEq)]
pub struct DiscoveredRow {
    /// Unique in the source and stable over time.
    pub tap_stream_id: String,
    pub stream_name: String,
    /// Schema of the fields.
    pub schema: Json,
    /// Stream-level metadata.
    pub metadata: Map<String, Json>,
    /// Field-level metadata.
    pub field_metadata: Json,
}

statements! {
    OWNS_SOURCE = "select id
        from sources
        where account_id = $1
            and id = $2";
    STORED = "select id, tap_stream_id, stream_name, schema, metadata, field_metadata, removed_at
        from streams
        where account_id = $1
            and source_id = $2
        order by id";
    INSERT = "insert into streams (account_id, source_id, tap_stream_id, stream_name, schema, metadata, field_metadata,
            choices, epoch, discovered_at)
        values ($1, $2, $3, $4, $5, $6, $7, '{}', 1, $8)";
    UPDATE = "update streams
        set stream_name = $3, schema = $4, metadata = $5, field_metadata = $6, removed_at = null
        where account_id = $1
            and id = $2";
    REMOVE = "update streams
        set removed_at = $3
        where account_id = $1
            and id = $2";
    MARK_SEEN = "update streams
        set discovered_at = $3
        where account_id = $1
            and source_id = $2
            and removed_at is null";
}

/// What is stored of a stream, to tell whether it changed.
struct Stored {
    id: StreamId,
    stream_name: String,
    schema: String,
    metadata: String,
    field_metadata: String,
    removed: bool,
}

/// Makes `discovered` the streams of the source: adds new ones, updates changed ones, and marks the others removed. Ids,
/// choices, positions and epochs stay, also when a removed stream comes back. Rows that did not change are not written.
/// `false` when the account has no such source.
///
/// A job calls [`crate::jobs::hold_lease`] first, in the same transaction: discoveries of one source take turns by it.
pub async fn replace_discovered(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    discovered: &[DiscoveredRow],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let owned = tx
        .fetch_optional(OWNS_SOURCE, values![scope, source])
        .await?;
    if owned.is_none() {
        return Ok(false);
    }
    let mut stored = stored(tx, scope, source).await?;
    for row in discovered {
        let stream_name = row.stream_name.as_str();
        let schema = row.schema.to_string();
        let metadata = serde_json::to_string(&row.metadata).expect("JSON objects always serialize");
        let field_metadata = row.field_metadata.to_string();
        match stored.remove(&row.tap_stream_id) {
            Some(old)
                if !old.removed
                    && old.stream_name == stream_name
                    && old.schema == schema
                    && old.metadata == metadata
                    && old.field_metadata == field_metadata => {}
            Some(old) => {
                let values = values![scope, old.id, stream_name, schema, metadata, field_metadata];
                tx.execute(UPDATE, values).await?;
            }
            None => {
                let values = values![
                    scope,
                    source,
                    row.tap_stream_id.as_str(),
                    stream_name,
                    schema,
                    metadata,
                    field_metadata,
                    now,
                ];
                tx.execute(INSERT, values).await?;
            }
        }
    }
    for gone in stored.into_values().filter(|old| !old.removed) {
        tx.execute(REMOVE, values![scope, gone.id, now]).await?;
    }
    tx.execute(MARK_SEEN, values![scope, source, now]).await?;
    Ok(true)
}

async fn stored(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
) -> Result<HashMap<String, Stored>, StoreError> {
    tx.fetch_all(STORED, values![scope, source])
        .await?
        .iter()
        .map(|row| {
            let stored = Stored {
                id: StreamId(row.integer("id")?),
                stream_name: row.text("stream_name")?,
                schema: row.text("schema")?,
                metadata: row.text("metadata")?,
                field_metadata: row.text("field_metadata")?,
                removed: row.optional_integer("removed_at")?.is_some(),
            };
            Ok((row.text("tap_stream_id")?, stored))
        })
        .collect()
}
