//! A server starts with plans that may have changed while it was down.

use selvedge_store::{accounts, sources};

use super::cron;
use crate::{Control, ControlError};

/// Makes sure that every account's plan is defined, and takes cron expressions from accounts whose plan has lost them.
///
/// [`ControlError::UnknownPlan`] when an account is on a plan that the configuration does not define: what its operator
/// meant to allow is not known, and a guess in either direction is wrong. The server must not start then.
pub async fn enforce(control: &Control) -> Result<(), ControlError> {
    let plans = &control.settings().plans;
    let mut tx = control.store().read().await?;
    let in_use = accounts::plans_in_use(&mut tx).await?;
    let mut affected = Vec::new();
    for (name, _) in &in_use {
        if !plans.features(Some(name))?.cron_scheduling {
            affected.extend(sources::list_with_cron(&mut tx, name).await?);
        }
    }
    drop(tx);
    for (scope, source) in affected {
        let mut tx = control.store().begin().await?;
        cron::take_away(&mut tx, scope, source, control.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}
