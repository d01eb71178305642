//! Looking at sources, deleted ones included.

use std::collections::HashMap;

use selvedge_store::{jobs, sources};
use selvedge_types::job::JobMode;
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
    let newest: HashMap<_, _> = jobs::newest_per_source(&mut tx, scope, JobMode::Sync)
        .await?
        .into_iter()
        .map(|job| (job.connection, job))
        .collect();
    let mut found = Vec::with_capacity(records.len());
    for record in records {
        let newest = newest.get(&record.id.into());
        found.push(Source::after(control, &mut tx, scope, record, newest).await?);
    }
    Ok(found)
}
