//! One change at a time to what connections an account has and how they are mapped.

use selvedge_store::{Tx, accounts};
use selvedge_types::AccountScope;

use crate::ControlError;

/// Holds the account until the transaction ends. The number of destinations, the names of sources and the mapping between
/// both are rules over several rows, which two changes at once would break or wait for in opposite orders. The account comes
/// before everything in it.
pub(crate) async fn hold(tx: &mut Tx, scope: AccountScope) -> Result<(), ControlError> {
    if accounts::lock(tx, scope).await? {
        Ok(())
    } else {
        // Deleted since its token was looked at.
        Err(ControlError::NotFound)
    }
}
