//! The access tokens of a source, without their texts.

use selvedge_store::import_tokens::{self, ImportTokenRecord};
use selvedge_store::sources;
use selvedge_types::{AccountScope, SourceId};

use super::pushed_source;
use crate::{Control, ControlError};

/// The active tokens, newest first.
pub async fn list(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<ImportTokenRecord>, ControlError> {
    let mut tx = control.store().read().await?;
    let found = sources::find(&mut tx, scope, source).await?;
    pushed_source(control, source, found)?;
    Ok(import_tokens::list_active(&mut tx, scope, source).await?)
}
