//! A source is deleted: it stays visible and runs no more.

use selvedge_store::{jobs, sources};
use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, SourceId};

use super::Source;
use crate::{Control, ControlError};

/// Marks the source deleted and stops what runs of it. Its name is free again.
pub async fn delete(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<Source, ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    if !sources::delete(&mut tx, scope, id, now).await? {
        return Err(ControlError::SourceNotFound(id));
    }
    for mode in [JobMode::Sync, JobMode::Check] {
        jobs::request_stop(&mut tx, scope, id.into(), mode, now).await?;
    }
    let record = sources::find(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::SourceNotFound(id))?;
    let source = Source::new(control, &mut tx, scope, record).await?;
    tx.commit().await?;
    tracing::info!(source.id = id.0, "source deleted");
    Ok(source)
}
