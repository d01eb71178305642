//! A run from discovery to its outcome.

use std::sync::Arc;

use selvedge_connector::{
    AnySource, Books, Catalog, ConnectorError, Destination, DiscoverContext, ErrorKind,
    LoadContext, LogLevel, ReadContext, Source,
};
use selvedge_net::Dialer;
use selvedge_types::Clock;
use selvedge_types::job::{JobOutcome, PhaseOutcome};
use tokio_util::sync::CancellationToken;

use crate::copy::{Copied, Copier, CopyError};
use crate::journal::{Component, JournalError, Progress, RunJournal};
use crate::limits::RunLimits;
use crate::plan::{PlanSettings, Planned, StreamPlan, concerns_connection, plan};
use crate::sequence::Sequence;

/// Everything one run needs.
pub struct Run {
    pub source: AnySource,
    pub destination: Arc<dyn Destination>,
    pub journal: Arc<dyn RunJournal>,
    pub clock: Arc<dyn Clock>,
    pub dialer: Dialer,
    pub settings: PlanSettings,
    pub limits: RunLimits,
    /// Cancelled to stop at the next checkpoint.
    pub stop: CancellationToken,
    /// Cancelled to end at once, whatever is under way; the owner does so when a stop takes too long.
    pub abort: CancellationToken,
    /// Names what the run is part of: a run that takes up an interrupted job has the same, and skips what it had finished.
    pub job: String,
    /// Fencing number of the lease under which the run happens.
    pub fence: i64,
    /// Random, unique to the run.
    pub run_seed: u64,
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub struct StreamReport {
    pub table_name: String,
    pub row_count: u64,
    pub books: Books,
    /// Milliseconds from opening to the last commit.
    pub elapsed_ms: i64,
    pub error: Option<ConnectorError>,
}

/// How the run ended.
#[derive(Clone, Debug)]
pub struct RunReport {
    pub outcome: JobOutcome,
    /// The run ended because it was asked to.
    pub stopped: bool,
    /// A newer lease exists: nothing of this run may be recorded.
    pub fenced: bool,
    pub streams: Vec<StreamReport>,
}

impl Run {
    /// Runs to the end, or to the next checkpoint after `stop`.
    pub async fn execute(self) -> RunReport {
        match &self.source {
            AnySource::Native(source) => self.execute_native(source).await,
            AnySource::Tap(tap) => Box::pin(self.execute_tap(tap)).await,
        }
    }

    async fn execute_native(&self, source: &Arc<dyn Source>) -> RunReport {
        let mut report = RunReport::new();
        self.log(LogLevel::Info, "discovering the structure of the source");
        let catalog = match self.discover(source).await {
            Ok(catalog) => catalog,
            Err(error) if self.stop.is_cancelled() => {
                return self.terminated(report, &error.to_string());
            }
            Err(error) => {
                self.log(LogLevel::Critical, &error.to_string());
                report.outcome.discovery = PhaseOutcome::failed(error.to_string());
                return report;
            }
        };
        let states = match self.journal.discovered(&catalog).await {
            Ok(states) => states,
            Err(error) => return self.unrecorded(report, error),
        };
        report.outcome.discovery = PhaseOutcome::succeeded();
        self.log(
            LogLevel::Info,
            &format!("discovered {} streams", catalog.streams.len()),
        );

        let last_sequence = states
            .iter()
            .filter_map(|state| state.position.as_ref())
            .map(|position| position.last_sequence)
            .max();
        let mut sequence = Sequence::after(last_sequence.unwrap_or(0));
        let resolve = |name: &str| self.destination.resolved_table_name(name);
        let planned = plan(&self.settings, &self.job, &catalog, states, &resolve);
        let mut failures = Failures::default();
        let mut progress = Progress {
            streams_total: u32::try_from(planned.len()).unwrap_or(u32::MAX),
            ..Progress::default()
        };
        self.journal.progress(&progress);
        for planned in planned {
            if self.stop.is_cancelled() {
                return self.terminated(report, "the run was stopped");
            }
            match planned {
                Planned::Finished {
                    tap_stream_id,
                    row_count,
                    size_bytes,
                } => {
                    self.log(
                        LogLevel::Info,
                        &format!("{tap_stream_id} was finished before the interruption"),
                    );
                    progress.row_count += row_count;
                    progress.size_bytes += size_bytes;
                }
                Planned::NotConfigured {
                    tap_stream_id,
                    reason,
                } => {
                    self.log(
                        LogLevel::Warning,
                        &format!("skipping {tap_stream_id}: Not Configured ({reason})"),
                    );
                }
                Planned::Refused { table_name, error } => {
                    self.log(LogLevel::Critical, &error.to_string());
                    report
                        .streams
                        .push(StreamReport::failed(table_name, error.clone()));
                    failures.tap.get_or_insert(error);
                }
                Planned::Copy(mut stream) => {
                    progress.current = Some((stream.table_name.clone(), stream.row_estimate));
                    self.journal.progress(&progress);
                    let ended = self
                        .copy(
                            source,
                            &mut stream,
                            &mut sequence,
                            &mut progress,
                            &mut report,
                        )
                        .await;
                    match ended {
                        Ok(()) => {}
                        Err(CopyError::Journal(JournalError::StreamReset)) => {
                            let table = &stream.table_name;
                            let text = format!("{table} was reset; the next run reads it anew");
                            self.log(LogLevel::Warning, &text);
                        }
                        Err(CopyError::Stopped) => {
                            return self.terminated(report, "the run was stopped");
                        }
                        Err(CopyError::Journal(error)) => return self.unrecorded(report, error),
                        Err(CopyError::Tap(error)) => {
                            let over = concerns_connection(error.kind);
                            failures.tap.get_or_insert(error);
                            if over {
                                break;
                            }
                        }
                        Err(CopyError::Target(error)) => {
                            let over = concerns_connection(error.kind);
                            failures.target.get_or_insert(error);
                            if over {
                                break;
                            }
                        }
                    }
                }
            }
            progress.streams_done += 1;
            progress.current = None;
            self.journal.progress(&progress);
        }
        report.outcome.tap = failures.tap.map_or_else(PhaseOutcome::succeeded, failed);
        report.outcome.target = failures.target.map_or_else(PhaseOutcome::succeeded, failed);
        report
    }

    async fn discover(&self, source: &Arc<dyn Source>) -> Result<Catalog, ConnectorError> {
        let ctx = DiscoverContext {
            dialer: self.dialer.clone(),
            stop: self.stop.clone(),
            fidelity: self.destination.fidelity(),
        };
        source.discover(&ctx).await
    }

    async fn copy(
        &self,
        source: &Arc<dyn Source>,
        stream: &mut StreamPlan,
        sequence: &mut Sequence,
        progress: &mut Progress,
        report: &mut RunReport,
    ) -> Result<(), CopyError> {
        let started_at = self.clock.now();
        let read = ReadContext {
            dialer: self.dialer.clone(),
            clock: Arc::clone(&self.clock),
            stop: self.abort.clone(),
            fidelity: self.destination.fidelity(),
            batch_bytes: self.limits.batch_bytes,
            batch_rows: self.limits.batch_rows,
        };
        let load = self.load_context();
        let mut copier = Copier {
            source,
            destination: &self.destination,
            journal: &self.journal,
            clock: &self.clock,
            limits: &self.limits,
            read: &read,
            load: &load,
            stop: &self.stop,
            schema_name: &self.settings.schema_name,
            job: &self.job,
            sequence,
            progress,
            kept: None,
            denester: None,
            lost_items: 0,
        };
        let copied = Box::pin(copier.copy(stream)).await;
        let elapsed_ms = (self.clock.now().as_micros() - started_at.as_micros()) / 1_000;
        let table = &stream.table_name;
        match copied {
            Ok(Copied { row_count, books }) => {
                self.counted(table, row_count, &books, elapsed_ms);
                report.streams.push(StreamReport {
                    table_name: table.clone(),
                    row_count,
                    books,
                    elapsed_ms,
                    error: None,
                });
                Ok(())
            }
            Err(CopyError::Tap(error))
                if !(error.kind == ErrorKind::Stopped && self.stop.is_cancelled()) =>
            {
                let error = error.within(format!("reading {table}"));
                self.journal
                    .log(Component::Tap, LogLevel::Critical, &error.to_string());
                report
                    .streams
                    .push(StreamReport::failed(table.clone(), error.clone()));
                Err(CopyError::Tap(error))
            }
            Err(CopyError::Target(error))
                if !(error.kind == ErrorKind::Stopped && self.stop.is_cancelled()) =>
            {
                let error = error.within(format!("loading {table} into the destination"));
                self.journal
                    .log(Component::Target, LogLevel::Critical, &error.to_string());
                report
                    .streams
                    .push(StreamReport::failed(table.clone(), error.clone()));
                self.journal
                    .load_failed(table, &error)
                    .await
                    .map_err(CopyError::Journal)?;
                Err(CopyError::Target(error))
            }
            Err(CopyError::Tap(_) | CopyError::Target(_)) => Err(CopyError::Stopped),
            Err(other) => Err(other),
        }
    }

    /// What tables are opened with.
    pub(crate) fn load_context(&self) -> LoadContext {
        LoadContext {
            dialer: self.dialer.clone(),
            clock: Arc::clone(&self.clock),
            stop: self.abort.clone(),
            fence: self.fence,
            run_seed: self.run_seed,
        }
    }

    pub(crate) fn counted(&self, table: &str, row_count: u64, books: &Books, elapsed_ms: i64) {
        let metric = |kind: &str, metric: &str, value: serde_json::Value| {
            let tags = serde_json::json!({ "endpoint": table });
            let line =
                serde_json::json!({ "type": kind, "metric": metric, "value": value, "tags": tags });
            format!("METRIC: {line}")
        };
        let say = |component, text: &str| self.journal.log(component, LogLevel::Info, text);
        say(
            Component::Tap,
            &metric("counter", "record_count", row_count.into()),
        );
        say(
            Component::Target,
            &metric("counter", "rows_written", books.written.into()),
        );
        say(
            Component::Target,
            &metric(
                "timer",
                "stream_duration",
                (elapsed_ms as f64 / 1_000.0).into(),
            ),
        );
        self.journal.log(
            Component::Target,
            LogLevel::Info,
            &format!(
                "loaded {table} in {elapsed_ms} ms: {row_count} rows read, {} written, {} superseded, {} with an older \
                 sequence, {} without a key, {} of an old version, {} rejected",
                books.written,
                books.superseded,
                books.older_sequence,
                books.null_key,
                books.old_version,
                books.rejected
            ),
        );
    }

    pub(crate) fn terminated(&self, mut report: RunReport, why: &str) -> RunReport {
        self.log(LogLevel::Info, &format!("terminated: {why}"));
        report.outcome = JobOutcome::terminated();
        report.stopped = true;
        report
    }

    /// The journal failed: without memory a run must not go on.
    pub(crate) fn unrecorded(&self, mut report: RunReport, error: JournalError) -> RunReport {
        self.log(LogLevel::Critical, &error.to_string());
        report.fenced = matches!(error, JournalError::Fenced);
        if report.outcome.discovery.exit_status.is_none() {
            report.outcome.discovery = PhaseOutcome::failed(error.to_string());
        } else {
            report.outcome.tap = PhaseOutcome::succeeded();
            report.outcome.target = PhaseOutcome::failed(error.to_string());
        }
        report
    }

    pub(crate) fn log(&self, level: LogLevel, text: &str) {
        self.journal.log(Component::Main, level, text);
    }
}

/// The first failure of each side; later ones are in the log and in the stream reports.
#[derive(Default)]
struct Failures {
    tap: Option<ConnectorError>,
    target: Option<ConnectorError>,
}

fn failed(error: ConnectorError) -> PhaseOutcome {
    PhaseOutcome::failed(error.to_string())
}

impl RunReport {
    /// Of a run that has not done anything yet.
    pub(crate) fn new() -> Self {
        Self {
            outcome: JobOutcome::default(),
            stopped: false,
            fenced: false,
            streams: Vec::new(),
        }
    }
}

impl StreamReport {
    fn failed(table_name: String, error: ConnectorError) -> Self {
        Self {
            table_name,
            row_count: 0,
            books: Books::default(),
            elapsed_ms: 0,
            error: Some(error),
        }
    }
}
