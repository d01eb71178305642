//! Testing a connection: connect, and for a source discover its streams.

use std::sync::{Arc, Mutex};

use selvedge_catalog::Catalog;
use selvedge_connector::{CheckContext, CheckReport, ConnectorError, DiscoverContext, LogLevel, TypeFidelity};
use selvedge_control::{Control, ControlError, checks, streams};
use selvedge_engine::{Component, listing};
use selvedge_store::Connection;
use selvedge_store::jobs::{ClaimedJob, JobResult};
use selvedge_types::job::{JobOutcome, JobProgress, JobState, PhaseOutcome};
use selvedge_types::{DestinationId, SourceId};
use tokio_util::sync::CancellationToken;

use crate::connections;
use crate::lease::{Ending, Lease};
use crate::log::JobLog;
use crate::runner::Shared;

/// Minutes after which a check is given up.
const TIME_LIMIT_SECONDS: i64 = 10 * 60;

/// Runs a check and records its result. `None` when the lease was lost or the server is stopping.
pub(crate) async fn run(
    shared: &Shared,
    job: &ClaimedJob,
    stop: CancellationToken,
    abort: CancellationToken,
) -> Result<Option<JobState>, ControlError> {
    let log = shared.logs.append(&job.name)?;
    let ending = Arc::new(Mutex::new(Ending::None));
    let lease = Lease {
        control: shared.control.clone(),
        job: job.clone(),
        progress: Arc::default(),
        stop: stop.clone(),
        abort: abort.clone(),
        deadline: shared.control.now().plus_seconds(TIME_LIMIT_SECONDS),
    };
    let check = Check { shared, job, log: &log };
    let result = tokio::select! {
        result = check.carry_out(&stop) => result,
        () = lease.keep(Arc::clone(&ending)) => return Ok(None),
        // A check changes nothing, so it is simply dropped.
        () = stop.cancelled() => {
            match *ending.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
                Ending::None | Ending::Lost => return Ok(None),
                Ending::Requested => stopped("the check was stopped"),
                Ending::TimeLimit => stopped("the check took too long and was given up"),
            }
        }
    };
    let state = result.state;
    let recorded = checks::complete(&shared.control, job, result).await?;
    Ok(recorded.then_some(state))
}

fn stopped(why: &str) -> JobResult {
    result(PhaseOutcome::failed(why), PhaseOutcome::default())
}

fn result(discovery: PhaseOutcome, check: PhaseOutcome) -> JobResult {
    let failed = discovery.is_failed() || check.is_failed();
    JobResult {
        state: if failed { JobState::Failed } else { JobState::Succeeded },
        outcome: JobOutcome { discovery, ..JobOutcome::default() },
        check,
        progress: JobProgress::default(),
    }
}

struct Check<'a> {
    shared: &'a Shared,
    job: &'a ClaimedJob,
    log: &'a JobLog,
}

impl Check<'_> {
    async fn carry_out(&self, stop: &CancellationToken) -> JobResult {
        let ctx = CheckContext { dialer: self.shared.dialer.clone(), stop: stop.clone() };
        match self.job.connection {
            Connection::Source(id) => self.source(id, &ctx).await,
            Connection::Destination(id) => match self.destination(id, &ctx).await {
                Ok(()) => result(PhaseOutcome::default(), PhaseOutcome::succeeded()),
                Err(text) => result(PhaseOutcome::default(), PhaseOutcome::failed(text)),
            },
        }
    }

    async fn source(&self, id: SourceId, ctx: &CheckContext) -> JobResult {
        let discovers = self.discovers(id).await;
        match self.test_source(id, ctx, discovers).await {
            Ok(()) if discovers => result(PhaseOutcome::succeeded(), PhaseOutcome::succeeded()),
            Ok(()) => result(PhaseOutcome::default(), PhaseOutcome::succeeded()),
            // The phase after discovery was never reached.
            Err(text) if discovers => result(PhaseOutcome::failed(text), PhaseOutcome::default()),
            Err(text) => result(PhaseOutcome::default(), PhaseOutcome::failed(text)),
        }
    }

    /// Whether the source's type has streams to discover.
    async fn discovers(&self, id: SourceId) -> bool {
        use selvedge_catalog::StepType;
        match selvedge_control::sources::settings_for_run(&self.shared.control, self.job.scope, id).await {
            Ok(Some((kind, _))) => {
                Catalog::global().source_type(&kind).is_some_and(|found| found.has_step(StepType::DiscoverSchema))
            }
            Ok(None) | Err(_) => true,
        }
    }

    async fn test_source(&self, id: SourceId, ctx: &CheckContext, discovers: bool) -> Result<(), String> {
        let Shared { control, registry, .. } = self.shared;
        let scope = self.job.scope;
        let source = connections::source(control, registry, scope, id).await.map_err(|error| self.refused(&error))?;
        let report = source.check(ctx).await.map_err(|error| self.refused(&error))?;
        self.report(&report)?;
        if !discovers {
            return Ok(());
        }
        let ctx = DiscoverContext {
            dialer: ctx.dialer.clone(),
            stop: ctx.stop.clone(),
            fidelity: self.fidelity(control, id).await,
        };
        let catalog = source.discover(&ctx).await.map_err(|error| self.refused(&error))?;
        let listings: Vec<_> = catalog.streams.iter().map(listing).map(crate::journal::into_control).collect();
        let count = listings.len();
        let kept = streams::apply_discovery(control, self.job, listings).await;
        match kept {
            Ok(true) => {
                self.line(LogLevel::Info, &format!("discovered {count} streams"));
                Ok(())
            }
            Ok(false) => Err("the check was replaced by a newer one".to_owned()),
            Err(error) => {
                tracing::error!(%error, job.name = %self.job.name, "discovered streams could not be stored");
                Err("We encountered an internal error while checking the connection.".to_owned())
            }
        }
    }

    async fn destination(&self, id: DestinationId, ctx: &CheckContext) -> Result<(), String> {
        let Shared { control, registry, .. } = self.shared;
        let destination = connections::destination(control, registry, self.job.scope, id).await;
        let destination = destination.map_err(|error| self.refused(&error))?;
        let report = destination.check(ctx).await.map_err(|error| self.refused(&error))?;
        self.report(&report)
    }

    /// What the mapped destination keeps decides which columns are supported.
    async fn fidelity(&self, control: &Control, id: SourceId) -> TypeFidelity {
        let scope = self.job.scope;
        match selvedge_control::sources::mapped_destination(control, scope, id).await {
            Ok(Some(destination)) => {
                let built = connections::destination(control, &self.shared.registry, scope, destination).await;
                built.map_or(TypeFidelity::Stitch, |destination| destination.fidelity())
            }
            Ok(None) | Err(_) => TypeFidelity::Stitch,
        }
    }

    fn report(&self, report: &CheckReport) -> Result<(), String> {
        for step in &report.steps {
            match &step.error {
                None => self.line(LogLevel::Info, &format!("{}: ok", step.name)),
                Some(error) => self.line(LogLevel::Critical, &format!("{}: {error}", step.name)),
            }
        }
        report.failure_text().map_or(Ok(()), Err)
    }

    fn refused(&self, error: &ConnectorError) -> String {
        self.line(LogLevel::Critical, &error.to_string());
        error.to_string()
    }

    fn line(&self, level: LogLevel, text: &str) {
        self.log.write(self.shared.clock.now(), Component::Main, level, text);
    }
}
