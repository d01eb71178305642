//! Starting streams over.

use selvedge_store::{Tx, jobs, sources, streams};
use selvedge_types::job::{JobMode, JobState};
use selvedge_types::{AccountScope, SourceId};

use crate::{Control, ControlError};

/// Forgets how far every stream of the source was read: the next job reads everything. What runs is stopped first.
pub(crate) async fn reset_all(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
) -> Result<(), ControlError> {
    stop_running(control, tx, scope, source).await?;
    for stream in streams::list(tx, scope, source).await? {
        streams::reset(tx, scope, source, &stream.tap_stream_id).await?;
    }
    sources::mark_reset(tx, scope, source, control.now()).await?;
    Ok(())
}

/// Stops a running job, whose work is not wanted any more. One that still waits will see the new state anyway. Before any
/// stream is changed: a job that saves a position holds itself first.
pub(super) async fn stop_running(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
) -> Result<(), ControlError> {
    let active = jobs::active(tx, scope, source.into(), JobMode::Sync).await?;
    if active.is_some_and(|job| job.state == JobState::Running) {
        jobs::request_stop(tx, scope, source.into(), JobMode::Sync, control.now()).await?;
    }
    Ok(())
}
