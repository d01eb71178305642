//! A replication job is started, by hand or by the schedule.

use selvedge_catalog::ConnectionType;
use selvedge_store::Tx;
use selvedge_store::jobs::{self, Enqueued};
use selvedge_store::sources::{self, SourceRecord};
use selvedge_types::job::{JobMode, JobName};
use selvedge_types::{AccountScope, SourceId};
use uuid::Uuid;

use crate::properties::Held;
use crate::sources::{setup_facts, type_of};
use crate::{Control, ControlError};

/// Queues a job for a source that can run. A pause by the user does not keep it from being started by hand.
pub async fn start(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<JobName, ControlError> {
    let account = scope.account();
    let mut tx = control.store().begin().await?;
    let record = sources::find_for_update(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::NoSourceToRun(account, id))?;
    if record.deleted_at.is_some() {
        return Err(ControlError::SourceDeleted);
    }
    let connection_type = type_of(control, &record)?;
    if !can_run(&mut tx, scope, connection_type, &record).await? {
        return Err(ControlError::NotReadyForJob(account, id));
    }
    let now = control.now();
    let queued = jobs::enqueue(
        &mut tx,
        scope,
        id.into(),
        JobMode::Sync,
        Uuid::new_v4(),
        now,
    )
    .await?;
    match queued {
        Enqueued::Created(name) => {
            tx.commit().await?;
            tracing::info!(job.name = %name, "job queued");
            Ok(name)
        }
        Enqueued::AlreadyActive => Err(ControlError::AlreadyRunning(account, id)),
        Enqueued::NoConnection => Err(ControlError::NoSourceToRun(account, id)),
    }
}

async fn can_run(
    tx: &mut Tx,
    scope: AccountScope,
    connection_type: &ConnectionType,
    record: &SourceRecord,
) -> Result<bool, ControlError> {
    if !connection_type.is_scheduled()
        || record.destination_id.is_none()
        || record.system_paused_at.is_some()
    {
        return Ok(false);
    }
    let held = Held::new(&record.properties, &record.credentials);
    let facts = setup_facts(tx, scope, connection_type, record).await?;
    Ok(connection_type.is_fully_configured(held.stored(), facts))
}
