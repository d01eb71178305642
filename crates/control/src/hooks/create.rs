//! A hook is added.

use selvedge_store::hooks::{self, HookRecord};
use selvedge_store::{StoreError, destinations};
use selvedge_types::{AccountScope, Secret};

use super::{NewHook, target};
use crate::{Control, ControlError, accounts, plans};

/// Hooks that one account may have, disabled ones included.
const MAX_HOOKS: u64 = 10;

/// A new hook; its signing secret is shown this once.
#[derive(Debug)]
pub struct CreatedHook {
    pub hook: HookRecord,
    pub secret: Secret,
}

/// Adds a hook for loads into a live destination. The plan is looked at before the body, which therefore may be a refusal
/// already.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    new: Result<NewHook, ControlError>,
) -> Result<CreatedHook, ControlError> {
    let settings = control.settings();
    let mut tx = control.store().begin().await?;
    // Two callers must not both find room for a last one.
    accounts::hold(&mut tx, scope).await?;
    if !plans::features(control, &mut tx, scope).await?.hooks {
        return Err(ControlError::NoAccessToHooks);
    }
    let new = new?;
    if !target::acceptable(&new.url, settings.allow_http_hooks, &settings.network) {
        return Err(ControlError::NewHookBody);
    }
    let destination = destinations::find(&mut tx, scope, new.destination_id).await?;
    if destination.is_none_or(|destination| destination.deleted_at.is_some()) {
        return Err(ControlError::NewHookBody);
    }
    if hooks::count(&mut tx, scope).await? >= MAX_HOOKS {
        return Err(ControlError::HookLimit(MAX_HOOKS));
    }
    let now = control.now();
    let created = hooks::create(&mut tx, scope, new.destination_id, &new.url, now).await;
    let (id, secret) = match created {
        // Somebody has deleted the destination just now.
        Err(StoreError::Conflict(_)) => return Err(ControlError::NewHookBody),
        created => created?,
    };
    let hook = hooks::find(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::HookNotFound)?;
    tx.commit().await?;
    tracing::info!(
        hook.id = id.0,
        destination.id = hook.destination_id.0,
        "hook created"
    );
    Ok(CreatedHook { hook, secret })
}
