//! A hook is forgotten.

use selvedge_store::hooks;
use selvedge_types::{AccountScope, HookId};

use crate::{Control, ControlError};

/// Deletes a hook; it is called no more.
pub async fn delete(
    control: &Control,
    scope: AccountScope,
    id: HookId,
) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    if !hooks::delete(&mut tx, scope, id).await? {
        return Err(ControlError::HookNotFound);
    }
    tx.commit().await?;
    Ok(())
}
