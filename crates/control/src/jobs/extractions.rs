//! The last completed extraction of every source.

use selvedge_store::{Page, Paged, jobs};
use selvedge_types::AccountScope;
use selvedge_types::job::{JobName, JobOutcome};
use selvedge_types::{SourceId, Timestamp};

use crate::{Control, ControlError};

/// A job that has ended, in whatever way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction {
    pub job_name: JobName,
    pub source: SourceId,
    /// Name of the extractor, for example `tap-postgres`.
    pub extractor: String,
    pub started_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub outcome: JobOutcome,
}

/// Per source its last job that ended within the retention, deleted sources included, by source id.
pub async fn extractions(
    control: &Control,
    scope: AccountScope,
    page: Page,
) -> Result<Paged<Extraction>, ControlError> {
    let since = control.retention_start();
    let mut tx = control.store().read().await?;
    let paged = jobs::last_completed_per_source(&mut tx, scope, since, page).await?;
    Ok(Paged {
        total: paged.total,
        items: paged
            .items
            .into_iter()
            .map(|completed| Extraction {
                source: SourceId(completed.job.name.connection),
                extractor: control
                    .catalog()
                    .source_type(&completed.source_type)
                    .map_or_else(
                        || format!("tap-{}", completed.source_type),
                        |found| found.tap_name(),
                    ),
                started_at: completed.job.started_at.unwrap_or(completed.job.created_at),
                completed_at: completed.job.completed_at,
                outcome: completed.job.outcome,
                job_name: completed.job.name,
            })
            .collect(),
    })
}
