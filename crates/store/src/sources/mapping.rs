//! Mapping many sources at once: when a destination comes, and when it goes.

use selvedge_types::{AccountScope, DestinationId, SourceId, Timestamp};

use crate::value::values;
use crate::{StoreError, Tx};

statements! {
    MAP_UNMAPPED = "update sources
        set destination_id = $2, updated_at = $3,
            system_paused_at = case waits_for_user when 0 then null else system_paused_at end
        where account_id = $1
            and destination_id is null
            and deleted_at is null
            and exists (
                select 1
                from destinations
                where destinations.account_id = $1
                    and destinations.id = $2
                    and destinations.deleted_at is null
            )
        returning id";
    UNMAP_FROM = "update sources
        set destination_id = null, system_paused_at = $3, ready_at = null, updated_at = $3
        where account_id = $1
            and destination_id = $2
            and deleted_at is null
        returning id";
}

/// Maps every live source without a destination to a live one of the account, and lifts the pause that losing a
/// destination brought, but not one that waits for the user. Answers with the sources it mapped; whether they are ready now is for the caller to say.
pub async fn map_unmapped(
    tx: &mut Tx,
    scope: AccountScope,
    destination: DestinationId,
    now: Timestamp,
) -> Result<Vec<SourceId>, StoreError> {
    change(tx, MAP_UNMAPPED, scope, destination, now).await
}

/// Takes every live source off the destination and pauses it. Answers with the sources it changed.
pub async fn unmap_from(
    tx: &mut Tx,
    scope: AccountScope,
    destination: DestinationId,
    now: Timestamp,
) -> Result<Vec<SourceId>, StoreError> {
    change(tx, UNMAP_FROM, scope, destination, now).await
}

async fn change(
    tx: &mut Tx,
    statement: &'static str,
    scope: AccountScope,
    destination: DestinationId,
    now: Timestamp,
) -> Result<Vec<SourceId>, StoreError> {
    let rows = tx
        .fetch_all(statement, values![scope, destination, now])
        .await?;
    let mut ids = rows
        .iter()
        .map(|row| row.integer("id").map(SourceId))
        .collect::<Result<Vec<_>, _>>()?;
    // `returning` has no order of its own.
    ids.sort_unstable();
    Ok(ids)
}
