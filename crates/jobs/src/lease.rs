//! Keeping a job's lease while it runs.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use selvedge_control::Control;
use selvedge_store::jobs::{self, ClaimedJob, Heartbeat};
use selvedge_types::Timestamp;
use selvedge_types::job::JobProgress;
use tokio_util::sync::CancellationToken;

/// A job whose worker has been silent for this long belongs to whoever claims it.
pub(crate) const LEASE_SECONDS: i64 = 30;
/// Between heartbeats: also how soon a stop request is heard, and how fresh the progress is that others read.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// After this long without a checkpoint, a stopped job is ended where it is.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Why a job's tokens were cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// They were not, or the server is stopping: the job is left for the next worker.
    #[default]
    None,
    /// Somebody asked for it.
    Requested,
    /// It ran longer than it may.
    TimeLimit,
    /// Another worker has the lease.
    Lost,
}

/// Progress as the run reports it and the heartbeat writes it.
pub(crate) type SharedProgress = Arc<Mutex<JobProgress>>;

/// The lease of one running job.
pub(crate) struct Lease {
    pub(crate) control: Control,
    pub(crate) job: ClaimedJob,
    pub(crate) progress: SharedProgress,
    /// Cancelled to stop the job at its next checkpoint.
    pub(crate) stop: CancellationToken,
    /// Cancelled to end it at once.
    pub(crate) abort: CancellationToken,
    pub(crate) deadline: Timestamp,
}

impl Lease {
    /// Extends the lease until the returned future is dropped or the lease is gone. The reason stays readable in `ending`.
    pub(crate) async fn keep(self, ending: Arc<Mutex<Ending>>) {
        let mut every = tokio::time::interval(HEARTBEAT_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut alive_until = self.control.now().plus_seconds(LEASE_SECONDS);
        let mut stopping_since: Option<tokio::time::Instant> = None;
        let mut overstays = || {
            let since = *stopping_since.get_or_insert_with(tokio::time::Instant::now);
            since.elapsed() >= STOP_GRACE
        };
        loop {
            every.tick().await;
            let now = self.control.now();
            let ended = match self.beat(now).await {
                Ok(Heartbeat::Continue) if now >= self.deadline => Some(Ending::TimeLimit),
                Ok(Heartbeat::Continue) => None,
                Ok(Heartbeat::StopRequested) => Some(Ending::Requested),
                Ok(Heartbeat::Lost) => Some(Ending::Lost),
                Err(error) => {
                    let error: &dyn Error = &error;
                    tracing::warn!(job.name = %self.job.name, error, "a heartbeat could not be written");
                    // Without the store nobody knows that we are alive: past the lease, somebody else may be running.
                    if now < alive_until {
                        continue;
                    }
                    Some(Ending::Lost)
                }
            };
            alive_until = now.plus_seconds(LEASE_SECONDS);
            let Some(ended) = ended else {
                // The server is ending, and something keeps the job from its next checkpoint.
                if self.stop.is_cancelled() && overstays() {
                    self.abort.cancel();
                }
                continue;
            };
            {
                let mut ending = ending.lock().unwrap_or_else(PoisonError::into_inner);
                if *ending == Ending::None || ended == Ending::Lost {
                    *ending = ended;
                }
            }
            self.stop.cancel();
            if ended == Ending::Lost || overstays() {
                self.abort.cancel();
            }
            if ended == Ending::Lost {
                return;
            }
        }
    }

    async fn beat(&self, now: Timestamp) -> Result<Heartbeat, selvedge_store::StoreError> {
        let progress = *self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = self.control.store().begin().await?;
        let heartbeat = jobs::heartbeat(
            &mut tx,
            &self.job.name,
            self.job.fence,
            now,
            LEASE_SECONDS,
            &progress,
        )
        .await?;
        tx.commit().await?;
        Ok(heartbeat)
    }
}
