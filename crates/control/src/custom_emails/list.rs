//! The recipients of an account.

use selvedge_store::custom_emails::{self, CustomEmailRecord};
use selvedge_types::AccountScope;

use crate::{Control, ControlError};

/// Recipients in the order of their ids, disabled ones included.
pub async fn list(
    control: &Control,
    scope: AccountScope,
) -> Result<Vec<CustomEmailRecord>, ControlError> {
    let mut tx = control.store().read().await?;
    Ok(custom_emails::list(&mut tx, scope).await?)
}
