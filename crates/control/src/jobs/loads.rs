//! The newest load attempt of every stream.

use selvedge_store::loads::{self as stored, LoadRecord};
use selvedge_store::{Page, Paged};
use selvedge_types::AccountScope;

use crate::{Control, ControlError};

/// Load attempts within the retention, by stream and source name.
pub async fn loads(
    control: &Control,
    scope: AccountScope,
    page: Page,
) -> Result<Paged<LoadRecord>, ControlError> {
    let since = control.retention_start();
    let mut tx = control.store().read().await?;
    Ok(stored::list_page(&mut tx, scope, since, page).await?)
}
