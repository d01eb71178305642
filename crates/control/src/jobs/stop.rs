//! The replication job of a source is stopped.

use selvedge_store::{jobs, sources};
use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, SourceId};

use crate::{Control, ControlError};

/// Asks the job to stop and does not wait for it. Nothing to stop is fine.
pub async fn stop(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    let record = sources::find(&mut tx, scope, id)
        .await?
        .ok_or_else(|| ControlError::NoSourceToRun(scope.account(), id))?;
    if record.deleted_at.is_some() {
        return Err(ControlError::SourceDeleted);
    }
    jobs::request_stop(&mut tx, scope, id.into(), JobMode::Sync, control.now()).await?;
    tx.commit().await?;
    Ok(())
}
