//! `selvedge sync`: a one-off copy through the same engine, without a server and without memory.

mod endpoint;
mod journal;
mod tap;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use selvedge_connector::TapSelection;
use selvedge_engine::{PlanSettings, Run, RunLimits, RunReport, StreamListing};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_types::stream::ReplicationMethod;
use selvedge_types::{Clock, Timestamp};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::SyncArguments;
use crate::clock::SystemClock;
use crate::table::{grouped, render};
pub(crate) use endpoint::Endpoint;
use journal::MemoryJournal;
pub(crate) use tap::{StateFile, source as tap};

/// A stream of a tap with all fields that it offers by default, selected.
pub(crate) fn whole_stream(listing: StreamListing) -> TapSelection {
    let state = journal::whole(listing);
    TapSelection {
        tap_stream_id: state.tap_stream_id,
        chosen: state.chosen,
        fields: state.fields,
    }
}

/// Time one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) async fn run(arguments: SyncArguments) -> anyhow::Result<ExitCode> {
    let (method, key) = parse_method(&arguments.method)?;
    let from = Endpoint::parse(&arguments.source).context("--source")?;
    let to = Endpoint::parse(&arguments.destination).context("--destination")?;
    let schema_name = match &arguments.schema {
        Some(name) => name.clone(),
        None => from.default_schema(),
    };
    let source = from.source(arguments.tap_config.as_deref()).await?;
    let destination = to.destination(arguments.fidelity)?;

    let progress = progress_bar();
    let journal = Arc::new(MemoryJournal::new(
        arguments.streams.clone(),
        method,
        key,
        arguments
            .tap_state
            .as_deref()
            .map(StateFile::open)
            .transpose()?,
        progress.clone(),
    ));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started_at = clock.now();
    let stop = CancellationToken::new();
    let abort = CancellationToken::new();
    let watcher = tokio::spawn(watch_interrupt(stop.clone(), abort.clone()));
    // Whoever runs this command chooses both ends, so there is no tenant to fence in.
    let policy = NetworkPolicy {
        private: true,
        ..NetworkPolicy::default()
    };
    let report = Run {
        source,
        destination,
        journal: journal.clone(),
        clock: Arc::clone(&clock),
        dialer: Dialer::new(policy, CONNECT_TIMEOUT),
        settings: PlanSettings {
            source_id: 0,
            schema_name,
            ..PlanSettings::default()
        },
        limits: RunLimits::default(),
        stop,
        abort,
        job: "one-off copy".to_owned(),
        fence: started_at.as_micros(),
        run_seed: seed()?,
    }
    .execute()
    .await;
    watcher.abort();
    progress.finish_and_clear();
    if let Some(missing) = journal.first_missing() {
        bail!(
            "the source has no stream called {missing}; its streams are: {}",
            journal.known().join(", ")
        );
    }
    print_report(&report, started_at, clock.now(), arguments.json);
    Ok(if succeeded(&report) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn succeeded(report: &RunReport) -> bool {
    report.outcome.state() == selvedge_types::job::JobState::Succeeded
}

fn parse_method(text: &str) -> anyhow::Result<(ReplicationMethod, Option<String>)> {
    match text.split_once(':') {
        None if text == "full" => Ok((ReplicationMethod::FullTable, None)),
        Some(("incremental", key)) if !key.is_empty() => {
            Ok((ReplicationMethod::Incremental, Some(key.to_owned())))
        }
        _ => bail!("--method is `full` or `incremental:KEY`, not {text:?}"),
    }
}

/// A random number that tells this run's generated row identities from those of every other run.
pub(crate) fn seed() -> anyhow::Result<u64> {
    getrandom::u64().context("the system gave no randomness")
}

/// The first interrupt stops at the next checkpoint, the second at once.
async fn watch_interrupt(stop: CancellationToken, abort: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        eprintln!("stopping at the next checkpoint; press Ctrl-C again to stop at once");
        stop.cancel();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        abort.cancel();
    }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    let style =
        ProgressStyle::with_template("{spinner} {msg}  {human_pos} rows  {per_sec}  {elapsed}");
    bar.set_style(style.expect("the template is a constant"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn print_report(report: &RunReport, started_at: Timestamp, ended_at: Timestamp, as_json: bool) {
    let elapsed_ms = (ended_at.as_micros() - started_at.as_micros()) / 1_000;
    if as_json {
        let streams: Vec<_> = report
            .streams
            .iter()
            .map(|stream| {
                json!({
                    "table": stream.table_name, "rows_read": stream.row_count, "rows_written": stream.books.written,
                    "rows_rejected": stream.books.rejected, "elapsed_ms": stream.elapsed_ms,
                    "error": stream.error.as_ref().map(ToString::to_string),
                })
            })
            .collect();
        println!(
            "{}",
            json!({ "succeeded": succeeded(report), "elapsed_ms": elapsed_ms, "streams": streams })
        );
        return;
    }
    let rows: Vec<Vec<String>> = report
        .streams
        .iter()
        .map(|stream| {
            vec![
                stream.table_name.clone(),
                grouped(stream.row_count),
                grouped(stream.books.written),
                grouped(stream.books.rejected),
                format!("{:.2}", stream.elapsed_ms as f64 / 1_000.0),
            ]
        })
        .collect();
    println!(
        "{}",
        render(
            &["table", "rows read", "rows written", "rejected", "seconds"],
            &rows
        )
    );
    for phase in [
        &report.outcome.discovery,
        &report.outcome.tap,
        &report.outcome.target,
    ] {
        if let Some(description) = &phase.description {
            eprintln!("error: {description}");
        }
    }
}
