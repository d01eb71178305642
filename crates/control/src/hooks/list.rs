//! The hooks of an account.

use selvedge_store::hooks::{self, HookRecord};
use selvedge_types::AccountScope;

use crate::{Control, ControlError};

/// Hooks in the order of their ids, disabled ones included.
pub async fn list(control: &Control, scope: AccountScope) -> Result<Vec<HookRecord>, ControlError> {
    let mut tx = control.store().read().await?;
    Ok(hooks::list(&mut tx, scope).await?)
}
