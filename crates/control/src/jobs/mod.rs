//! Replication jobs: starting and stopping them, and what came of them.

mod extractions;
mod loads;
mod log_address;
mod progress;
mod start;
mod stop;

use selvedge_store::jobs;
use selvedge_types::AccountScope;
use selvedge_types::job::{JobMode, JobName};

use crate::{Control, ControlError, plans};

pub use extractions::{Extraction, extractions};
pub use loads::loads;
pub use log_address::{LogAddress, log_address, read_log};
pub use progress::{RunningJob, progress};
pub use start::start;
pub use stop::stop;

/// Whether a job's log may be asked for: it is a synchronisation of the account whose log is there or still to come.
async fn may_be_read(
    control: &Control,
    scope: AccountScope,
    name: &JobName,
) -> Result<bool, ControlError> {
    if name.mode != JobMode::Sync {
        return Ok(false);
    }
    let mut tx = control.store().read().await?;
    let Some(job) = jobs::find(&mut tx, scope, name).await? else {
        return Ok(false);
    };
    let features = plans::features(control, &mut tx, scope).await?;
    drop(tx);
    let mut kept_since = control.retention_start();
    if let Some(days) = features.log_retention_days {
        kept_since = kept_since.max(control.days_ago(days));
    }
    let kept = job
        .completed_at
        .is_none_or(|completed_at| completed_at >= kept_since);
    Ok(kept && (!job.state.ended() || control.logs().open(scope, name).await?.is_some()))
}
