//! How far the tap of a source is: one document, guarded against runs that lost their lease.

use selvedge_types::{AccountScope, SourceId, Timestamp};
use serde_json::Value as Json;

use crate::jobs;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

const TABLE: &str = "tap_positions";

statements! {
    FIND = "select position
        from tap_positions
        where account_id = $1
            and source_id = $2";
    /// An insert that selects has no columns to take the types of its parameters from.
    SAVE = "insert into tap_positions (source_id, account_id, position, fence, saved_at)
        select sources.id, sources.account_id, cast($3 as text), cast($4 as bigint), cast($5 as bigint)
        from sources
        where sources.account_id = $1
            and sources.id = $2
        on conflict (source_id) do update
        set position = excluded.position, fence = excluded.fence, saved_at = excluded.saved_at";
}

/// The position that was saved last; `None` for a source whose tap never got so far.
pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Option<Json>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, source]).await?;
    row.map(|row| row.json(TABLE, "position", source))
        .transpose()
}

/// Saves a position, if `fence` is still the newest of the source. `false` otherwise.
pub async fn save(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    position: &Json,
    fence: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !jobs::hold_fence(tx, source.into(), fence).await? {
        return Ok(false);
    }
    let values = values![scope, source, position.to_string(), fence, now];
    Ok(tx.execute(SAVE, values).await? == 1)
}
