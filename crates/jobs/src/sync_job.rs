//! One replication job: settings, connectors, the engine's run, and how it is recorded.

use std::sync::{Arc, Mutex, PoisonError};

use selvedge_connector::{ConnectorError, LogLevel};
use selvedge_control::{ControlError, sources};
use selvedge_engine::{Component, PlanSettings, Run, RunReport};
use selvedge_store::Connection;
use selvedge_store::jobs::{self, ClaimedJob, JobResult};
use selvedge_types::SourceId;
use selvedge_types::job::{JobOutcome, JobState, PhaseOutcome};
use selvedge_types::stream::ReplicationMethod;
use tokio_util::sync::CancellationToken;

use crate::connections;
use crate::journal::StoreJournal;
use crate::lease::{Ending, Lease, SharedProgress};
use crate::log::JobLog;
use crate::recording::record_end;
use crate::shared::Shared;

/// A job whose worker was lost this often is not tried again: something about it kills the server.
const MOST_ATTEMPTS: i64 = 5;
const OVERDUE: &str = "The process was terminated. Most often this occurs because the job has exceeded its allotted \
                       runtime. The next job will run based on the integration's schedule.";

/// Runs a replication job and records its end, unless the server is told to stop or to end at once. `None` when the lease was
/// lost or the server is stopping.
pub(crate) async fn run(
    shared: &Shared,
    job: &ClaimedJob,
    server_stop: &CancellationToken,
    server_abort: &CancellationToken,
) -> Result<Option<JobState>, ControlError> {
    let (stop, abort) = (server_stop.child_token(), server_abort.child_token());
    let log = Arc::new(shared.logs.append(&job.name));
    let say = |level, text: &str| log.write(shared.clock.now(), Component::Main, level, text);
    let progress = SharedProgress::default();
    let outcome = if job.attempts > MOST_ATTEMPTS {
        let text = format!(
            "the server was lost {MOST_ATTEMPTS} times while this job ran; it is not tried again"
        );
        say(LogLevel::Critical, &text);
        JobOutcome {
            discovery: PhaseOutcome::failed(text),
            ..JobOutcome::default()
        }
    } else {
        if job.attempts > 1 {
            say(LogLevel::Warning, "going on after the server was lost");
        }
        let ending = Arc::new(Mutex::new(Ending::None));
        let lease = Lease {
            control: shared.control.clone(),
            job: job.clone(),
            progress: Arc::clone(&progress),
            stop: stop.clone(),
            abort: abort.clone(),
            deadline: job
                .started_at
                .plus_seconds(shared.time_limit.as_secs().cast_signed()),
        };
        let mut keeping = tokio::spawn(lease.keep(Arc::clone(&ending)));
        let report = replicate(shared, job, &log, &progress, stop, abort).await;
        keeping.abort();
        // Aborted or done, the lease's task has ended before the job is recorded.
        drop((&mut keeping).await);
        let ending = *ending.lock().unwrap_or_else(PoisonError::into_inner);
        match (report, ending) {
            (Err(error), _) => {
                say(LogLevel::Critical, &error.to_string());
                JobOutcome {
                    discovery: PhaseOutcome::failed(error.to_string()),
                    ..JobOutcome::default()
                }
            }
            (Ok(report), Ending::Lost) if report.stopped || report.fenced => return Ok(None),
            (Ok(report), _) if report.fenced => return Ok(None),
            // Stopped by the server's own end: the job goes on when a worker is there again.
            (Ok(report), Ending::None) if report.stopped => return Ok(None),
            (Ok(report), Ending::TimeLimit) if report.stopped => {
                say(LogLevel::Info, OVERDUE);
                report.outcome
            }
            (Ok(report), _) => report.outcome,
        }
    };
    let state = outcome.state();
    let progress = *progress.lock().unwrap_or_else(PoisonError::into_inner);
    let result = JobResult {
        state,
        outcome,
        check: PhaseOutcome::default(),
        progress,
    };
    let completed_at = shared.control.now();
    let finish = || async {
        let mut tx = shared.control.store().begin().await?;
        let recorded = jobs::finish(&mut tx, &job.name, job.fence, &result, completed_at).await?;
        tx.commit().await?;
        Ok(recorded)
    };
    let recorded = record_end(job, server_abort, finish).await?;
    if recorded {
        crate::metrics::moved(&progress);
    }
    Ok(recorded.then_some(state))
}

/// Builds both ends and lets the engine run between them.
async fn replicate(
    shared: &Shared,
    job: &ClaimedJob,
    log: &Arc<JobLog>,
    progress: &SharedProgress,
    stop: CancellationToken,
    abort: CancellationToken,
) -> Result<RunReport, ConnectorError> {
    let Connection::Source(source_id) = job.connection else {
        return Err(ConnectorError::internal(
            "a destination cannot be replicated",
        ));
    };
    let settings = settings(shared, job, source_id).await?;
    let source =
        connections::source(&shared.control, &shared.registry, job.scope, source_id).await?;
    let destination = connections::destination(
        &shared.control,
        &shared.registry,
        job.scope,
        settings.destination_id,
    )
    .await?;
    let journal = StoreJournal {
        control: shared.control.clone(),
        job: job.clone(),
        source: source_id,
        destination: settings.destination_id,
        log: Arc::clone(log),
        clock: Arc::clone(&shared.clock),
        progress: Arc::clone(progress),
        epochs: Mutex::default(),
    };
    let run = Run {
        source,
        destination,
        journal: Arc::new(journal),
        clock: Arc::clone(&shared.clock),
        dialer: shared.dialer.clone(),
        settings: settings.plan,
        limits: shared.limits.clone(),
        stop,
        abort,
        job: job.name.to_string(),
        fence: job.fence,
        run_seed: job.name.uuid.as_u64_pair().0 ^ job.fence.cast_unsigned(),
    };
    Ok(Box::pin(run.execute()).await)
}

struct RunSettings {
    destination_id: selvedge_types::DestinationId,
    plan: PlanSettings,
}

async fn settings(
    shared: &Shared,
    job: &ClaimedJob,
    source_id: SourceId,
) -> Result<RunSettings, ConnectorError> {
    let found = sources::settings_for_run(&shared.control, job.scope, source_id)
        .await
        .map_err(|error| {
            tracing::error!(%error, "a source could not be read");
            ConnectorError::internal("the source's settings could not be read")
        })?;
    let source = found.ok_or_else(|| ConnectorError::configuration("Integration is deleted."))?;
    let destination_id = source.destination_id.ok_or_else(|| {
        ConnectorError::configuration("the source is not mapped to a destination")
    })?;
    let text = |name: &str| {
        source
            .properties
            .get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    Ok(RunSettings {
        destination_id,
        plan: PlanSettings {
            source_id: source_id.0,
            schema_name: source.name.clone(),
            include_schema_in_table_name: text("include_schemas_in_destination_stream_name")
                .as_deref()
                == Some("true"),
            default_method: text("default_replication_method")
                .as_deref()
                .and_then(ReplicationMethod::parse),
        },
    })
}
