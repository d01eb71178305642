//! Plans: what accounts may do. Without plans everybody may do everything; an operator can define plans in the configuration
//! and put accounts on them.

mod assign;
mod cron;
mod enforce;
mod features;

use selvedge_store::{ReadTx, accounts};
use selvedge_types::AccountScope;

use crate::{Control, ControlError};

pub use assign::assign;
pub use enforce::enforce;
pub use features::{Features, Plans, TypeAccess, UnknownPlan};

/// What the account may do.
pub(crate) async fn features<'a>(
    control: &'a Control,
    tx: &mut ReadTx,
    scope: AccountScope,
) -> Result<&'a Features, ControlError> {
    let plan = accounts::plan(tx, scope).await?;
    Ok(control.settings().plans.features(plan.as_deref())?)
}
