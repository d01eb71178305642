//! A destination is deleted; its sources stay, without one.

use selvedge_store::{destinations, hooks, jobs, sources};
use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, DestinationId};

use crate::{Control, ControlError, accounts};

/// Marks the destination deleted. Its sources lose their mapping and are paused by the system until they get another one;
/// what runs into it is stopped, and its hooks are gone.
pub async fn delete(
    control: &Control,
    scope: AccountScope,
    id: DestinationId,
) -> Result<(), ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    accounts::hold(&mut tx, scope).await?;
    if !destinations::delete(&mut tx, scope, id, now).await? {
        return Err(ControlError::NoDestinationToDelete(scope.account(), id));
    }
    for source in sources::unmap_from(&mut tx, scope, id, now).await? {
        jobs::request_stop(&mut tx, scope, source.into(), JobMode::Sync, now).await?;
    }
    jobs::request_stop(&mut tx, scope, id.into(), JobMode::Check, now).await?;
    hooks::delete_of_destination(&mut tx, scope, id).await?;
    tx.commit().await?;
    tracing::info!(destination.id = id.0, "destination deleted");
    Ok(())
}
