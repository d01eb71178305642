//! The operator puts an account on a plan.

use selvedge_store::{Store, accounts, sources};
use selvedge_types::{AccountScope, SourceId, Timestamp};

use super::{Plans, cron};
use crate::ControlError;

/// Puts the account on a plan, or on none, from the next request on. Answers with the sources that lost their cron
/// expression by it, which are paused.
///
/// Works on the store alone: the operator's command runs beside the server, or without one.
pub async fn assign(
    store: &Store,
    plans: &Plans,
    scope: AccountScope,
    plan: Option<&str>,
    now: Timestamp,
) -> Result<Vec<SourceId>, ControlError> {
    let features = plans.features(plan)?;
    let mut tx = store.begin().await?;
    accounts::lock(&mut tx, scope).await?;
    if !accounts::set_plan(&mut tx, scope, plan).await? {
        return Err(ControlError::NotFound);
    }
    let mut paused = Vec::new();
    if !features.cron_scheduling {
        for source in sources::list(&mut tx, scope).await? {
            if cron::take_away(&mut tx, scope, source.id, now).await? {
                paused.push(source.id);
            }
        }
    }
    tx.commit().await?;
    Ok(paused)
}
