//! The loop of one node: schedule, claim, run, and clean up.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use selvedge_connectors::Registry;
use selvedge_control::{Control, ControlError, idempotency, oauth, scheduler, sessions};
use selvedge_engine::RunLimits;
use selvedge_net::Dialer;
use selvedge_store::jobs::{self, ClaimLimits, ClaimedJob};
use selvedge_types::job::JobMode;
use selvedge_types::{Clock, Timestamp};
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::log::LogDirectory;
use crate::shared::Shared;
use crate::{check_job, metrics, sync_job};

/// How often the queue is looked at: the longest a job waits for a free worker.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// How long the queue is left alone after it could not be read.
const CLAIM_RETRY_SECONDS: i64 = 1;
/// How often due sources are looked for.
const SCHEDULE_SECONDS: i64 = 1;
/// How often expired tokens and codes, and ended jobs and logs past their retention, are deleted.
const CLEAN_SECONDS: i64 = 3_600;
/// Job records deleted in one transaction.
const CLEAN_BATCH: u32 = 500;
/// Checks are short and somebody waits for them: they have room of their own.
const CHECKS_AT_ONCE: usize = 8;

/// What the operator decides about a node.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    /// Unique name of this worker, written into leases.
    pub worker: String,
    /// No other worker can be alive on this store, so leases found at start belong to the dead.
    pub sole_worker: bool,
    /// Sources replicated at the same time.
    pub concurrency: u32,
    /// A job that runs longer is terminated.
    pub time_limit: Duration,
    /// Memory and checkpoints of each job.
    pub limits: RunLimits,
}

/// Runs jobs until it is stopped.
pub struct Runner {
    shared: Shared,
    settings: RunnerSettings,
}

impl Runner {
    pub fn new(
        control: Control,
        registry: Registry,
        dialer: Dialer,
        clock: Arc<dyn Clock>,
        logs: LogDirectory,
        settings: RunnerSettings,
    ) -> Self {
        let (time_limit, limits) = (settings.time_limit, settings.limits.clone());
        Self {
            shared: Shared {
                control,
                registry,
                dialer,
                clock,
                logs,
                time_limit,
                limits,
            },
            settings,
        }
    }

    /// Works until `stop`; then running jobs end at their next checkpoint, or at once on `abort`. Jobs cut short this way
    /// stay in the queue and go on when a worker is there again.
    pub async fn run(self, stop: CancellationToken, abort: CancellationToken) {
        if self.settings.sole_worker
            && let Err(error) = self.take_over().await
        {
            tracing::error!(%error, "leases of an earlier server could not be released; its jobs wait for them to expire");
        }
        let mut tasks: JoinSet<()> = JoinSet::new();
        let mut running: HashMap<task::Id, JobMode> = HashMap::new();
        let mut every = tokio::time::interval(POLL_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let [mut schedule_at, mut clean_at, mut claim_at] = [Timestamp::from_micros(0); 3];
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(joined) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let id = match joined {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "a job crashed; it is taken up again when its lease expires");
                            error.id()
                        }
                    };
                    running.remove(&id);
                }
                _ = every.tick() => {}
            }
            let now = self.shared.clock.now();
            if now >= schedule_at {
                schedule_at = now.plus_seconds(SCHEDULE_SECONDS);
                if let Err(error) = scheduler::enqueue_due(&self.shared.control).await {
                    let error: &dyn Error = &error;
                    tracing::error!(error, "due sources could not be scheduled");
                }
            }
            if now >= clean_at {
                clean_at = now.plus_seconds(CLEAN_SECONDS);
                if let Err(error) = self.clean(now).await {
                    tracing::warn!(%error, "what is past its time could not be deleted; it is tried again later");
                }
            }
            for mode in [JobMode::Check, JobMode::Sync] {
                metrics::running(
                    mode,
                    running.values().filter(|running| **running == mode).count(),
                );
            }
            while now >= claim_at
                && let Some(limits) = self.room(&running)
            {
                match self.claim(&limits).await {
                    Ok(Some(job)) => {
                        let mode = job.mode;
                        let run = run_job(self.shared.clone(), job, stop.clone(), abort.clone());
                        running.insert(tasks.spawn(run).id(), mode);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        let error: &dyn Error = &error;
                        tracing::error!(error, "the job queue could not be read");
                        claim_at = now.plus_seconds(CLAIM_RETRY_SECONDS);
                    }
                }
            }
        }
        while let Some(joined) = tasks.join_next().await {
            if let Err(error) = joined {
                tracing::error!(%error, "a job crashed while the server was stopping");
            }
        }
        if let Err(error) = self.give_back().await {
            tracing::warn!(%error, "leases could not be given back; unfinished jobs wait for them to expire");
        }
    }

    /// What may be claimed beside the jobs that run; `None` when nothing may.
    fn room(&self, running: &HashMap<task::Id, JobMode>) -> Option<ClaimLimits> {
        let syncs = running
            .values()
            .filter(|mode| **mode == JobMode::Sync)
            .count();
        let limits = ClaimLimits {
            checks: running.len() - syncs < CHECKS_AT_ONCE,
            syncs: syncs < self.settings.concurrency as usize,
            running_syncs_per_account: self.settings.concurrency,
        };
        (limits.checks || limits.syncs).then_some(limits)
    }

    async fn claim(
        &self,
        limits: &ClaimLimits,
    ) -> Result<Option<ClaimedJob>, selvedge_store::StoreError> {
        let mut tx = self.shared.control.store().begin().await?;
        let now = self.shared.clock.now();
        let job = jobs::claim(
            &mut tx,
            &self.settings.worker,
            now,
            crate::lease::LEASE_SECONDS,
            limits,
        )
        .await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Frees the jobs of an earlier server that was lost.
    async fn take_over(&self) -> Result<(), selvedge_store::StoreError> {
        let mut tx = self.shared.control.store().begin().await?;
        let released = jobs::release_worker_leases(&mut tx, "", self.shared.clock.now()).await?;
        tx.commit().await?;
        if released > 0 {
            tracing::info!(
                job.count = released,
                "unfinished jobs go back into the queue"
            );
        }
        Ok(())
    }

    /// Frees the jobs that this server leaves for the next one.
    async fn give_back(&self) -> Result<(), selvedge_store::StoreError> {
        let mut tx = self.shared.control.store().begin().await?;
        let (worker, now) = (&self.settings.worker, self.shared.clock.now());
        let left = jobs::give_back_leases(&mut tx, worker, now).await?;
        tx.commit().await?;
        if left > 0 {
            tracing::info!(job.count = left, "unfinished jobs wait for the next start");
        }
        Ok(())
    }

    async fn clean(&self, now: Timestamp) -> Result<(), ControlError> {
        sessions::delete_expired(&self.shared.control).await?;
        oauth::delete_expired(&self.shared.control).await?;
        idempotency::forget_expired(&self.shared.control).await?;
        let days = i64::from(self.shared.control.settings().retention_days);
        let before = now.plus_seconds(-days * 86_400);
        loop {
            let mut tx = self.shared.control.store().begin().await?;
            let deleted = jobs::delete_older_than(&mut tx, before, CLEAN_BATCH).await?;
            tx.commit().await?;
            if deleted.len() < CLEAN_BATCH as usize {
                break;
            }
        }
        let logs = self.shared.logs.clone();
        let deleted = tokio::task::spawn_blocking(move || logs.delete_older_than(before)).await;
        match deleted {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => {
                tracing::info!(log.count = count, "deleted job logs past their retention")
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "the log clean-up crashed"),
        }
        Ok(())
    }
}

async fn run_job(
    shared: Shared,
    job: ClaimedJob,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    let name = job.name.to_string();
    tracing::info!(job.name = %name, account.id = %job.scope.account(), job.fence = job.fence, "job started");
    let claimed_at = shared.clock.now();
    let result = match job.mode {
        JobMode::Check => Box::pin(check_job::run(&shared, &job, &stop, &abort)).await,
        JobMode::Sync => Box::pin(sync_job::run(&shared, &job, &stop, &abort)).await,
    };
    match result {
        Ok(Some(state)) => {
            let seconds = (shared.clock.now().as_micros() - claimed_at.as_micros()) as f64 / 1e6;
            metrics::ended(job.mode, state, seconds);
            tracing::info!(job.name = %name, job.state = state.as_str(), "job ended");
        }
        Ok(None) => tracing::info!(job.name = %name, "job left to another worker"),
        Err(error) => {
            let error: &dyn Error = &error;
            tracing::error!(job.name = %name, error, "the end of a job could not be recorded; it is taken up again when its lease expires");
        }
    }
}
