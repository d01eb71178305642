//! What follows from a load.

use selvedge_store::{StoreError, Tx, hook_messages, hooks, loads, sources};
use selvedge_types::load::FinishedLoad;
use selvedge_types::{AccountScope, DestinationId, SourceId, Timestamp};

use crate::hooks::payload;

/// Rows of a stream that became durable in a destination.
#[derive(Clone, Copy, Debug)]
pub struct LoadedRows<'a> {
    pub destination: DestinationId,
    /// Name of the stream in the list of loads.
    pub stream_name: &'a str,
    pub row_count: u64,
    pub at: Timestamp,
    /// The load that ended with them.
    pub finished: Option<&'a FinishedLoad>,
}

/// Records rows as loaded. Where a load ended with them, each enabled hook of the destination is to be told: its message
/// waits in the outbox as soon as the transaction has committed.
///
/// Belongs into the transaction that saves how far the load is, so that neither is there without the other.
pub async fn record(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    loaded: LoadedRows<'_>,
) -> Result<(), StoreError> {
    let LoadedRows {
        destination,
        stream_name,
        row_count,
        at,
        finished,
    } = loaded;
    loads::record_success(tx, scope, source, stream_name, row_count, at).await?;
    let Some(load) = finished else {
        return Ok(());
    };
    let hooks = hooks::list_enabled(tx, scope, destination).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let Some(source) = sources::find(tx, scope, source).await? else {
        return Ok(());
    };
    let body = payload(&source.name, load);
    for hook in hooks {
        hook_messages::enqueue(tx, scope, hook, &body, at).await?;
    }
    Ok(())
}
