//! Which destination a source loads into.

use selvedge_store::{Tx, connections, destinations};
use selvedge_types::{AccountScope, DestinationId};

use crate::ControlError;

/// Refuses a destination that the account does not have. Whoever holds the account keeps it from being deleted.
pub(super) async fn require_live(
    tx: &mut Tx,
    scope: AccountScope,
    id: DestinationId,
) -> Result<(), ControlError> {
    if connections::is_live(tx, scope, id.into()).await? {
        Ok(())
    } else {
        Err(ControlError::DestinationNotFound(id))
    }
}

/// The account's destination, if it has exactly one.
pub(super) async fn only(
    tx: &mut Tx,
    scope: AccountScope,
) -> Result<Option<DestinationId>, ControlError> {
    Ok(match destinations::list(tx, scope).await?.as_slice() {
        [only] => Some(only.id),
        _ => None,
    })
}
