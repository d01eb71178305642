//! Since when a source may run by itself. Whatever bears on it ends by calling [`refresh`] in the same transaction.

use selvedge_store::sources::{self, SourceRecord};
use selvedge_store::{Tx, streams};
use selvedge_types::{AccountScope, SourceId};

use super::setup::facts;
use super::source::type_of;
use crate::properties::Held;
use crate::{Control, ControlError};

/// Sets `ready_at` after a change: kept while the source stays ready, the present when it becomes ready, nothing when it
/// is not fully configured, paused, without a destination, or of a kind that never runs on a schedule.
pub(crate) async fn refresh(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
) -> Result<(), ControlError> {
    let Some(record) = sources::find_for_update(tx, scope, id).await? else {
        return Ok(());
    };
    let ready_at = ready(control, tx, scope, &record)
        .await?
        .then(|| record.ready_at.unwrap_or_else(|| control.now()));
    if ready_at != record.ready_at {
        sources::set_ready_at(tx, scope, id, ready_at).await?;
    }
    Ok(())
}

/// What follows for a source that has just got another destination: the new one knows nothing of what the old one
/// committed, while reading goes on where it was.
pub(crate) async fn mapped(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
) -> Result<(), ControlError> {
    streams::start_new_epochs(tx, scope, id).await?;
    refresh(control, tx, scope, id).await
}

async fn ready(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    record: &SourceRecord,
) -> Result<bool, ControlError> {
    let connection_type = type_of(control, record)?;
    let may_run = connection_type.is_scheduled()
        && record.deleted_at.is_none()
        && record.paused_at.is_none()
        && record.system_paused_at.is_none()
        && record.destination_id.is_some();
    if !may_run {
        return Ok(false);
    }
    let held = Held::new(&record.properties, &record.credentials);
    let facts = facts(tx, scope, connection_type, record).await?;
    Ok(connection_type.is_fully_configured(held.stored(), facts))
}
