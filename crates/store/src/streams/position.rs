//! Positions: how far reading got, guarded against runs that lost their lease and against resets.

use selvedge_types::{AccountScope, SourceId};
use serde_json::Value as Json;

use crate::jobs;
use crate::value::values;
use crate::{StoreError, Tx};

/// What became of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionUpdate {
    Saved,
    /// Another job of the source has been claimed since: stop the run.
    FenceLost,
    /// The stream was reset or removed since the run was planned: its position belongs to an older life.
    EpochOver,
}

statements! {
    SAVE = "update streams
        set position = $5, position_fence = $6
        where account_id = $1
            and source_id = $2
            and tap_stream_id = $3
            and epoch = $4";
    START_NEW_EPOCHS = "update streams
        set epoch = epoch + 1
        where account_id = $1
            and source_id = $2
            and position is not null";
}

/// Saves a position, if `fence` is still the newest of the source and `epoch` still the stream's.
pub async fn save_position(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    tap_stream_id: &str,
    epoch: i64,
    position: &Json,
    fence: i64,
) -> Result<PositionUpdate, StoreError> {
    if !jobs::hold_fence(tx, source.into(), fence).await? {
        return Ok(PositionUpdate::FenceLost);
    }
    let values = values![
        scope,
        source,
        tap_stream_id,
        epoch,
        position.to_string(),
        fence
    ];
    Ok(match tx.execute(SAVE, values).await? {
        0 => PositionUpdate::EpochOver,
        _ => PositionUpdate::Saved,
    })
}

/// Starts a new epoch for every stream of the source that has been read and keeps the positions: what another destination remembers does not
/// count, and reading goes on where it was.
pub async fn start_new_epochs(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
) -> Result<(), StoreError> {
    tx.execute(START_NEW_EPOCHS, values![scope, source]).await?;
    Ok(())
}
