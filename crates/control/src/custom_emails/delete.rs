//! A recipient is forgotten.

use selvedge_store::custom_emails;
use selvedge_types::{AccountScope, CustomEmailId};

use crate::{Control, ControlError};

/// Deletes a recipient; `false` when the account has no such recipient.
pub async fn delete(
    control: &Control,
    scope: AccountScope,
    id: CustomEmailId,
) -> Result<bool, ControlError> {
    let mut tx = control.store().begin().await?;
    let deleted = custom_emails::delete(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(deleted)
}
