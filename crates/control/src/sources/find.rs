//! Looking at sources, deleted ones included.

use selvedge_store::sources;
use selvedge_types::{AccountScope, SourceId};

use super::Source;
use crate::{Control, ControlError};

/// The source, also when it is paused or deleted.
pub async fn find(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<Source>, ControlError> {
    let mut tx = control.store().read().await?;
    match sources::find(&mut tx, scope, id).await? {
        Some(record) => Source::new(control, &mut tx, scope, record).await.map(Some),
        None => Ok(None),
    }
}

/// All sources of the account, in the order of their ids.
pub async fn list(control: &Control, scope: AccountScope) -> Result<Vec<Source>, ControlError> {
    let mut tx = control.store().read().await?;
    let records = sources::list(&mut tx, scope).await?;
    let mut found = Vec::with_capacity(records.len());
    for record in records {
        found.push(Source::new(control, &mut tx, scope, record).await?);
    }
    Ok(found)
}
