//! A hook is disabled, or enabled again.

use selvedge_store::hooks::{self, HookRecord};
use selvedge_types::{AccountScope, HookId};

use super::HookChange;
use crate::{Control, ControlError};

/// Disables or enables a hook; repeating it changes nothing. The id is judged before the change, which therefore may be a
/// refusal already.
pub async fn update(
    control: &Control,
    scope: AccountScope,
    id: HookId,
    change: Result<HookChange, ControlError>,
) -> Result<HookRecord, ControlError> {
    let mut tx = control.store().begin().await?;
    if hooks::find(&mut tx, scope, id).await?.is_none() {
        return Err(ControlError::HookNotFound);
    }
    hooks::set_enabled(&mut tx, scope, id, change?.enable, control.now()).await?;
    let hook = hooks::find(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::HookNotFound)?;
    tx.commit().await?;
    Ok(hook)
}
