//! Storing what discovery found.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use selvedge_types::{AccountScope, SourceId, StreamId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::value::{Value, values};
use crate::{StoreError, Tx, random};

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

/// Rows per statement: enough to make thousands of streams a matter of a moment.
const CHUNK: usize = 64;

statements! {
    OWNS_SOURCE = "select id
        from sources
        where account_id = $1
            and id = $2";
    /// Fingerprints instead of schemas: thousands of streams fit into little memory.
    STORED = "select id, tap_stream_id, fingerprint, removed_at
        from streams
        where account_id = $1
            and source_id = $2
        order by id";
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

/// Placeholders: `$1` account, `$2` source, `$3` now, then per row tap_stream_id and what [`Content::values`] lists.
fn insert_sql(rows: usize) -> String {
    format!(
        "insert into streams (account_id, source_id, discovered_at, choices, epoch, tap_stream_id, stream_name, schema,
            metadata, field_metadata, fingerprint)
        select $1, $2, $3, '{{}}', 1, fresh.column1, fresh.column2, fresh.column3, fresh.column4, fresh.column5,
            fresh.column6
        from ({}) as fresh",
        rows_sql(rows, 4)
    )
}

/// Placeholders: `$1` account, then per row the id and what [`Content::values`] lists.
fn update_sql(rows: usize) -> String {
    format!(
        "update streams
        set stream_name = fresh.column2, schema = fresh.column3, metadata = fresh.column4,
            field_metadata = fresh.column5, fingerprint = fresh.column6, removed_at = null
        from ({}) as fresh
        where streams.account_id = $1
            and streams.id = fresh.column1",
        rows_sql(rows, 2)
    )
}

/// `values` of rows with six columns, which both databases name `column1` to `column6`.
fn rows_sql(rows: usize, first_placeholder: usize) -> String {
    let mut sql = "values".to_owned();
    for row in 0..rows {
        let separator = if row == 0 { ' ' } else { ',' };
        let start = first_placeholder + row * 6;
        write!(
            sql,
            "{separator}(${}, ${}, ${}, ${}, ${}, ${})",
            start,
            start + 1,
            start + 2,
            start + 3,
            start + 4,
            start + 5
        )
        .expect("writing to a string never fails");
    }
    sql
}

/// A statement for single rows and one for whole chunks: two texts to prepare, whatever the number of rows.
struct Chunked {
    one: LazyLock<String>,
    many: LazyLock<String>,
}

static INSERT: Chunked = Chunked {
    one: LazyLock::new(|| insert_sql(1)),
    many: LazyLock::new(|| insert_sql(CHUNK)),
};

static UPDATE: Chunked = Chunked {
    one: LazyLock::new(|| update_sql(1)),
    many: LazyLock::new(|| update_sql(CHUNK)),
};

/// Rows that wait for their statement.
struct Batch {
    sql: &'static Chunked,
    head: Vec<Value>,
    rows: Vec<Vec<Value>>,
}

impl Batch {
    fn new(sql: &'static Chunked, head: Vec<Value>) -> Self {
        Self {
            sql,
            head,
            rows: Vec::with_capacity(CHUNK),
        }
    }

    async fn push(&mut self, tx: &mut Tx, row: Vec<Value>) -> Result<(), StoreError> {
        self.rows.push(row);
        if self.rows.len() < CHUNK {
            return Ok(());
        }
        let mut values = self.head.clone();
        values.extend(self.rows.drain(..).flatten());
        tx.execute(&self.sql.many, values).await?;
        Ok(())
    }

    async fn flush(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for row in self.rows.drain(..) {
            let mut values = self.head.clone();
            values.extend(row);
            tx.execute(&self.sql.one, values).await?;
        }
        Ok(())
    }
}

/// What is known of a stored stream, to tell whether it changed.
struct Stored {
    id: StreamId,
    fingerprint: String,
    removed: bool,
}

/// Makes `discovered` the streams of the source: adds new ones, updates changed ones, and marks the others removed. Ids,
/// choices, positions and epochs stay, also when a removed stream comes back. Of two rows with one `tap_stream_id` the first
/// counts. `false` when the account has no such source.
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
    let stored = stored(tx, scope, source).await?;
    let mut seen = HashSet::with_capacity(discovered.len());
    let mut inserts = Batch::new(&INSERT, values![scope, source, now]);
    let mut updates = Batch::new(&UPDATE, values![scope]);
    for row in discovered {
        let tap_stream_id = row.tap_stream_id.as_str();
        if !seen.insert(tap_stream_id) {
            continue;
        }
        let content = Content::of(row);
        match stored.get(tap_stream_id) {
            Some(old) if !old.removed && old.fingerprint == content.fingerprint => {}
            Some(old) => updates.push(tx, content.values(old.id.into())).await?,
            None => {
                inserts
                    .push(tx, content.values(tap_stream_id.into()))
                    .await?
            }
        }
    }
    inserts.flush(tx).await?;
    updates.flush(tx).await?;
    for (tap_stream_id, old) in &stored {
        if !old.removed && !seen.contains(tap_stream_id.as_str()) {
            tx.execute(REMOVE, values![scope, old.id, now]).await?;
        }
    }
    tx.execute(MARK_SEEN, values![scope, source, now]).await?;
    Ok(true)
}

/// The columns that discovery fills, and their fingerprint.
struct Content {
    stream_name: String,
    schema: String,
    metadata: String,
    field_metadata: String,
    fingerprint: String,
}

impl Content {
    fn of(row: &DiscoveredRow) -> Self {
        let stream_name = row.stream_name.clone();
        let schema = row.schema.to_string();
        let metadata = serde_json::to_string(&row.metadata).expect("JSON objects always serialize");
        let field_metadata = row.field_metadata.to_string();
        // JSON texts hold no line breaks, so the parts cannot run into each other.
        let fingerprint = random::hash(&format!(
            "{schema}\n{metadata}\n{field_metadata}\n{stream_name}"
        ));
        Self {
            stream_name,
            schema,
            metadata,
            field_metadata,
            fingerprint,
        }
    }

    fn values(self, key: Value) -> Vec<Value> {
        vec![
            key,
            self.stream_name.into(),
            self.schema.into(),
            self.metadata.into(),
            self.field_metadata.into(),
            self.fingerprint.into(),
        ]
    }
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
                fingerprint: row.text("fingerprint")?,
                removed: row.optional_integer("removed_at")?.is_some(),
            };
            Ok((row.text("tap_stream_id")?, stored))
        })
        .collect()
}
