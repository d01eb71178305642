//! Testing a connection: connect, and for a source discover its streams.

use std::sync::{Arc, Mutex};

use selvedge_connector::{
    AnySource, CheckContext, CheckReport, ConnectorError, DiscoverContext, LogLevel, TapContext,
    TypeFidelity,
};
use selvedge_control::checks::{self, CheckResult};
use selvedge_control::{Control, ControlError, sources, streams};
use selvedge_engine::{Component, listing, tap_listing};
use selvedge_store::Connection;
use selvedge_store::jobs::ClaimedJob;
use selvedge_types::job::{JobState, PhaseOutcome};
use selvedge_types::{DestinationId, SourceId};
use tokio_util::sync::CancellationToken;

use crate::connections;
use crate::lease::{Ending, Lease};
use crate::log::JobLog;
use crate::recording::record_end;
use crate::shared::Shared;

/// Minutes after which a check is given up.
const TIME_LIMIT_SECONDS: i64 = 10 * 60;

/// Runs a check and records its result. `None` when the lease was lost or the server is stopping.
pub(crate) async fn run(
    shared: &Shared,
    job: &ClaimedJob,
    server_stop: &CancellationToken,
    server_abort: &CancellationToken,
) -> Result<Option<JobState>, ControlError> {
    let (stop, abort) = (server_stop.child_token(), server_abort.child_token());
    let log = Arc::new(shared.logs.append(&job.name));
    let ending = Arc::new(Mutex::new(Ending::None));
    let lease = Lease {
        control: shared.control.clone(),
        job: job.clone(),
        progress: Arc::default(),
        stop: stop.clone(),
        abort,
        deadline: shared.control.now().plus_seconds(TIME_LIMIT_SECONDS),
    };
    let check = Check {
        shared,
        job,
        log: &log,
    };
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
    let failed = result.discovery.is_failed() || result.check.is_failed();
    let state = if failed {
        JobState::Failed
    } else {
        JobState::Succeeded
    };
    let complete = || checks::complete(&shared.control, job, result.clone());
    let recorded = record_end(job, server_abort, complete).await?;
    Ok(recorded.then_some(state))
}

fn stopped(why: &str) -> CheckResult {
    result(PhaseOutcome::default(), PhaseOutcome::failed(why))
}

fn result(discovery: PhaseOutcome, check: PhaseOutcome) -> CheckResult {
    CheckResult { discovery, check }
}

struct Check<'a> {
    shared: &'a Shared,
    job: &'a ClaimedJob,
    log: &'a Arc<JobLog>,
}

impl Check<'_> {
    async fn carry_out(&self, stop: &CancellationToken) -> CheckResult {
        let ctx = CheckContext {
            dialer: self.shared.dialer.clone(),
            stop: stop.clone(),
        };
        match self.job.connection {
            Connection::Source(id) => self.source(id, &ctx).await,
            Connection::Destination(id) => match self.destination(id, &ctx).await {
                Ok(()) => result(PhaseOutcome::default(), PhaseOutcome::succeeded()),
                Err(text) => result(PhaseOutcome::default(), PhaseOutcome::failed(text)),
            },
        }
    }

    async fn source(&self, id: SourceId, ctx: &CheckContext) -> CheckResult {
        let discovers = self.discovers(id).await;
        match self.test_source(id, ctx, discovers).await {
            Ok(()) if discovers => result(PhaseOutcome::succeeded(), PhaseOutcome::succeeded()),
            Ok(()) => result(PhaseOutcome::default(), PhaseOutcome::succeeded()),
            // The phase after discovery was never reached.
            Err(text) if discovers => result(PhaseOutcome::failed(text), PhaseOutcome::default()),
            Err(text) => result(PhaseOutcome::default(), PhaseOutcome::failed(text)),
        }
    }

    /// Whether the source's type has streams to discover. Where that cannot be told, discovery tells why.
    async fn discovers(&self, id: SourceId) -> bool {
        let settings = sources::settings_for_run(&self.shared.control, self.job.scope, id).await;
        settings
            .ok()
            .flatten()
            .is_none_or(|settings| settings.discovers)
    }

    async fn test_source(
        &self,
        id: SourceId,
        ctx: &CheckContext,
        discovers: bool,
    ) -> Result<(), String> {
        let Shared {
            control, registry, ..
        } = self.shared;
        let scope = self.job.scope;
        let source = connections::source(control, registry, scope, id)
            .await
            .map_err(|error| self.refused(&error))?;
        let listings: Vec<_> = match source {
            AnySource::Native(source) => {
                let report = source.check(ctx).await;
                self.report(&report.map_err(|error| self.refused(&error))?)?;
                if !discovers {
                    return Ok(());
                }
                let ctx = DiscoverContext {
                    dialer: ctx.dialer.clone(),
                    stop: ctx.stop.clone(),
                    fidelity: self.fidelity(control, id).await,
                };
                let catalog = source.discover(&ctx).await;
                let catalog = catalog.map_err(|error| self.refused(&error))?;
                catalog.streams.iter().map(listing).collect()
            }
            // A tap has no other test than discovery.
            AnySource::Tap(tap) => {
                let catalog = tap.discover(&self.tap_context(ctx)).await;
                let catalog = catalog.map_err(|error| self.refused(&error))?;
                catalog.streams.iter().map(tap_listing).collect()
            }
        };
        let listings: Vec<_> = listings
            .into_iter()
            .map(crate::journal::into_control)
            .collect();
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

    fn tap_context(&self, ctx: &CheckContext) -> TapContext {
        let (log, clock) = (Arc::clone(self.log), Arc::clone(&self.shared.clock));
        TapContext {
            clock: Arc::clone(&clock),
            stop: ctx.stop.clone(),
            batch_bytes: self.shared.limits.batch_bytes,
            log: Arc::new(move |level, text| {
                log.write(clock.now(), Component::Main, level, text);
            }),
        }
    }

    async fn destination(&self, id: DestinationId, ctx: &CheckContext) -> Result<(), String> {
        let Shared {
            control, registry, ..
        } = self.shared;
        let destination = connections::destination(control, registry, self.job.scope, id).await;
        let destination = destination.map_err(|error| self.refused(&error))?;
        let report = destination
            .check(ctx)
            .await
            .map_err(|error| self.refused(&error))?;
        self.report(&report)
    }

    /// What the mapped destination keeps decides which columns are supported.
    async fn fidelity(&self, control: &Control, id: SourceId) -> TypeFidelity {
        let scope = self.job.scope;
        let settings = sources::settings_for_run(control, scope, id)
            .await
            .ok()
            .flatten();
        let Some(destination) = settings.and_then(|settings| settings.destination_id) else {
            return TypeFidelity::default();
        };
        let built =
            connections::destination(control, &self.shared.registry, scope, destination).await;
        built.map_or(TypeFidelity::default(), |destination| {
            destination.fidelity()
        })
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
        self.log
            .write(self.shared.clock.now(), Component::Main, level, text);
    }
}
