//! When rows were last received for sources that others push to.

use selvedge_types::{AccountScope, SourceId, Timestamp};

use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

statements! {
    NOTE_RECEIVED = "update sources
        set rows_received_at = $3
        where account_id = $1
            and id = $2
            and (rows_received_at is null or rows_received_at < $3)";
    LIST_RECEIVED = "select id, rows_received_at
        from sources
        where account_id = $1
            and rows_received_at is not null
        order by id";
}

/// Notes when rows were last received; an earlier instant than the stored one changes nothing.
pub async fn note_received(
    tx: &mut Tx,
    received: &[((AccountScope, SourceId), Timestamp)],
) -> Result<(), StoreError> {
    // In one order everywhere, so that two nodes never wait for each other's rows.
    let mut received = received.to_vec();
    received.sort_unstable_by_key(|((_, source), _)| *source);
    for ((scope, source), at) in received {
        tx.execute(NOTE_RECEIVED, values![scope, source, at])
            .await?;
    }
    Ok(())
}

/// The account's sources that rows were ever received for, and when that was last, in the order of their ids.
pub async fn list_received(
    tx: &mut ReadTx,
    scope: AccountScope,
) -> Result<Vec<(SourceId, Timestamp)>, StoreError> {
    tx.fetch_all(LIST_RECEIVED, values![scope])
        .await?
        .iter()
        .map(|row| {
            let source = SourceId(row.integer("id")?);
            Ok((source, row.time("rows_received_at")?))
        })
        .collect()
}
