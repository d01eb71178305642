//! Which sources are due, over all accounts.

use selvedge_store::{jobs, sources as stored};
use selvedge_types::job::{JobMode, JobName};
use selvedge_types::{AccountScope, SourceId};

use crate::sources::newest_run;
use crate::sources::schedule::{self, NewestRun, Readiness};
use crate::{Control, ControlError};

/// Sources read at a time.
const BATCH: u32 = 500;

/// Sources whose next start has come and that have no job yet, in the order of their ids.
pub async fn due(control: &Control) -> Result<Vec<(AccountScope, SourceId)>, ControlError> {
    let now = control.now();
    let mut tx = control.store().read().await?;
    let (mut due, mut after) = (Vec::new(), None);
    loop {
        let batch = stored::list_scheduled(&mut tx, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some(last.id);
        for source in batch.into_iter().filter(|source| !source.active) {
            let connection_type = control.catalog().source_type(&source.source_type);
            let Some(minutes) =
                connection_type.and_then(|found| found.default_scheduling_interval())
            else {
                continue;
            };
            let plan = match schedule::planned(&source.properties.into_iter().collect(), minutes) {
                Ok(plan) => plan,
                Err(error) => {
                    // It was judged before it was stored, by another version of this program.
                    tracing::warn!(source.id = source.id.0, %error, "stored cron expression is not understood; source does not start");
                    continue;
                }
            };
            let readiness = Readiness {
                ready_at: source.ready_at,
                reset_at: source.reset_at,
            };
            let starts_by = |newest: Option<NewestRun>| {
                schedule::next_start(&plan, now, newest, readiness)
                    .is_some_and(|start| start <= now)
            };
            // How long the last job took can only make it later, so it is asked for only when it matters.
            let quick = source.newest_start.map(|started_at| NewestRun {
                started_at,
                completed_at: Some(started_at),
            });
            if !starts_by(quick) {
                continue;
            }
            let newest =
                jobs::newest(&mut tx, source.scope, source.id.into(), JobMode::Sync).await?;
            if starts_by(newest.as_ref().map(newest_run)) {
                due.push((source.scope, source.id));
            }
        }
    }
    Ok(due)
}

/// Queues a job for every source that is due. A source that cannot run any more, or got a job meanwhile, is left out.
pub async fn enqueue_due(control: &Control) -> Result<Vec<JobName>, ControlError> {
    let mut queued = Vec::new();
    for (scope, source) in due(control).await? {
        match crate::jobs::start(control, scope, source).await {
            Ok(name) => queued.push(name),
            Err(
                refused @ (ControlError::AlreadyRunning(..)
                | ControlError::NotReadyForJob(..)
                | ControlError::NoSourceToRun(..)
                | ControlError::SourceDeleted),
            ) => tracing::debug!(source.id = source.0, %refused, "due source was left out"),
            Err(failed) => return Err(failed),
        }
    }
    Ok(queued)
}
