//! `selvedge taps lint`: runs a tap and tells what is wrong with what it says.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use selvedge_connector::{AnySource, TapContext};
use selvedge_engine::{RunLimits, Severity, lint, tap_listing};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::LintArguments;
use crate::clock::SystemClock;
use crate::sync::{self, StateFile};

pub(super) async fn run(arguments: &LintArguments) -> anyhow::Result<ExitCode> {
    let source = sync::tap(&arguments.program, arguments.tap_config.as_deref())?;
    let AnySource::Tap(tap) = source else {
        bail!("a tap is needed");
    };
    let state = arguments.tap_state.as_deref().map(StateFile::open);
    let state = state.transpose()?.and_then(|file| file.state());
    let stop = CancellationToken::new();
    let quiet = arguments.quiet;
    let context = TapContext {
        clock: Arc::new(SystemClock),
        stop: stop.clone(),
        batch_bytes: RunLimits::default().batch_bytes,
        log: Arc::new(move |level, text| {
            if !quiet {
                eprintln!("tap - {} {text}", level.as_str());
            }
        }),
    };
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let catalog = tap.discover(&context).await.context("--discover")?;
    let wanted = &arguments.streams;
    let selected: Vec<_> = catalog
        .streams
        .iter()
        .filter(|stream| {
            wanted.is_empty()
                || wanted.contains(&stream.stream_name)
                || wanted.contains(&stream.tap_stream_id)
        })
        .map(|stream| sync::whole_stream(tap_listing(stream)))
        .collect();
    if selected.is_empty() {
        bail!("the tap has no such stream");
    }
    let report = lint(tap, context, &catalog, selected, state).await?;
    interrupted.abort();
    let faulty = report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Fault);
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Fault => "fault",
            Severity::Repaired => "repaired",
            Severity::Advice => "advice",
        };
        let (stream, text, count) = (&finding.stream, &finding.text, finding.count);
        if arguments.json {
            let line =
                json!({"severity": severity, "stream": stream, "text": text, "count": count});
            println!("{line}");
        } else {
            let stream = stream.as_deref().unwrap_or("the tap");
            println!("{severity:<9} {stream}: {text} ({count} times)");
        }
    }
    if !arguments.json {
        for (stream, count) in &report.records {
            println!("{stream}: {count} records");
        }
        println!("{} states", report.state_count);
        if report.findings.is_empty() {
            println!("nothing to complain of");
        }
    }
    Ok(if faulty {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
