//! Lanes: how far the pushed records of a table are loaded into a destination.
//!
//! Positions are those of a log of accepted requests, which has an id; another log's positions are another lane's.

use selvedge_types::{AccountScope, SourceId, Timestamp};

use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

/// Which lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    pub source: SourceId,
    /// The destination that the source had when the records came; 0 when it had none.
    pub destination: i64,
    pub table_name: String,
    pub log_id: String,
}

/// How far a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LanePosition {
    /// Everything up to here is loaded or accounted for.
    pub upto: i64,
    /// Up to here that is so for the current version of the table and older ones; records of newer versions between the two
    /// wait for their activation.
    pub through: i64,
    /// The current version, once records or an activation named one.
    pub table_version: Option<i64>,
}

statements! {
    /// An insert that selects has no columns to take the types of its parameters from.
    OPEN = "insert into intake_lanes (account_id, source_id, destination_id, table_name, log_id, fence, loaded_upto,
            loaded_through, updated_at)
        select sources.account_id, sources.id, cast($3 as bigint), cast($4 as text), cast($5 as text), cast($6 as bigint),
            0, 0, cast($6 as bigint)
        from sources
        where sources.account_id = $1
            and sources.id = $2
        on conflict (source_id, destination_id, table_name, log_id) do update
        set fence = case when intake_lanes.fence < excluded.fence then excluded.fence else intake_lanes.fence + 1 end,
            updated_at = excluded.updated_at
        returning fence, loaded_upto, loaded_through, table_version";
    SAVE = "update intake_lanes
        set loaded_upto = $7, loaded_through = $8, table_version = $9, updated_at = $10
        where account_id = $1
            and source_id = $2
            and destination_id = $3
            and table_name = $4
            and log_id = $5
            and fence = $6";
    /// A version counts as long as its table may get more.
    PRUNE = "delete from intake_lanes
        where updated_at < $1
            and (
                table_version is null
                or exists (
                    select 1
                    from sources
                    where sources.id = intake_lanes.source_id
                        and sources.deleted_at is not null
                )
            )";
    LIST = "select source_id, destination_id, table_name, log_id, loaded_upto
        from intake_lanes";
}

/// Begins a load of the lane: answers with its position and a fence greater than every one before, without which nothing is
/// saved. `None` when the account has no such source; a deleted one counts.
pub async fn open(
    tx: &mut Tx,
    scope: AccountScope,
    lane: &LaneKey,
    now: Timestamp,
) -> Result<Option<(i64, LanePosition)>, StoreError> {
    let values = values![
        scope,
        lane.source,
        lane.destination,
        lane.table_name.as_str(),
        lane.log_id.as_str(),
        now
    ];
    let row = tx.fetch_optional(OPEN, values).await?;
    row.map(|row| {
        let position = LanePosition {
            upto: row.integer("loaded_upto")?,
            through: row.integer("loaded_through")?,
            table_version: row.optional_integer("table_version")?,
        };
        Ok((row.integer("fence")?, position))
    })
    .transpose()
}

/// Keeps the position. `false` when the lane has been opened again since.
pub async fn save(
    tx: &mut Tx,
    scope: AccountScope,
    lane: &LaneKey,
    fence: i64,
    position: LanePosition,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = values![
        scope,
        lane.source,
        lane.destination,
        lane.table_name.as_str(),
        lane.log_id.as_str(),
        fence,
        position.upto,
        position.through,
        position.table_version,
        now
    ];
    Ok(tx.execute(SAVE, values).await? == 1)
}

/// Forgets lanes that were neither opened nor loaded since `before`, over all accounts; not those of a versioned table that may
/// get more. How many. A log may hold nothing of such a lane any more: it would be loaded again.
pub async fn prune(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, values![before]).await
}

/// Up to where each lane is loaded, over all accounts: what a log needs to know when it is opened.
pub async fn list_loaded(tx: &mut ReadTx) -> Result<Vec<(LaneKey, i64)>, StoreError> {
    let lane = |row: &Row| {
        let lane = LaneKey {
            source: SourceId(row.integer("source_id")?),
            destination: row.integer("destination_id")?,
            table_name: row.text("table_name")?,
            log_id: row.text("log_id")?,
        };
        Ok((lane, row.integer("loaded_upto")?))
    };
    let rows = tx.fetch_all(LIST, values![]).await?;
    rows.iter().map(lane).collect()
}
