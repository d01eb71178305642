//! `cargo xtask bench api`: how many requests per second the API answers, and how fast, next to a bare handler.

mod report;
mod stage;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::bench::api::report::{Contestant, Report, Sample};
use crate::bench::api::stage::{Means, Stage, Store};
use crate::bench::binaries::{Binaries, BinaryArguments};
use crate::bench::process::Process;
use crate::bench::psql::Psql;
use crate::interrupts::Interrupts;
use crate::postgres::{self, Server};

/// Durable, as an operator's server is.
const SETTINGS: [&str; 2] = ["fsync=on", "synchronous_commit=on"];

#[derive(Args)]
#[command(after_help = "\
For each store and each kind of request, `selvedge serve` and a bare axum handler that returns the same bytes are asked
in turn over kept-alive connections; which of them goes first changes with each round. Everything runs on the same
processors, the load generator included. To use two processors of a larger machine:
  taskset -c 0,1 cargo xtask bench api
A ratio is our requests per second divided by the bare handler's.")]
pub(crate) struct ApiArguments {
    /// How often each is asked.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long, each time.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Only this store.
    #[arg(long, value_enum)]
    store: Option<Store>,
    /// Only requests whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    #[command(flatten)]
    binaries: BinaryArguments,
}

/// What is asked.
struct Kind {
    name: &'static str,
    method: &'static str,
    path: String,
    accept_encoding: Option<&'static str>,
    body: Option<&'static str>,
}

/// Without a token of GitHub's the form is not complete, so no check is queued that would run beside the requests.
const NEW_SOURCE: &str = r#"{"type":"platform.github","display_name":"Source {number}","properties":{"repository":"acme/site","start_date":"2030-01-01T00:00:00Z","frequency_in_minutes":"60"}}"#;

fn kinds(source: i64) -> [Kind; 5] {
    let get = |name, path: String| Kind {
        name,
        method: "GET",
        path,
        accept_encoding: None,
        body: None,
    };
    [
        get("one source", format!("/v4/sources/{source}")),
        get("50 sources", "/v4/sources".to_owned()),
        get("source types", "/v4/source-types".to_owned()),
        Kind {
            accept_encoding: Some("gzip"),
            ..get("source types, gzip", "/v4/source-types".to_owned())
        },
        Kind {
            method: "POST",
            body: Some(NEW_SOURCE),
            ..get("new source", "/v4/sources".to_owned())
        },
    ]
}

/// Builds, measures, prints, and writes `target/bench/api-<time>.json`.
pub(crate) fn run(arguments: &ApiArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    ensure!(arguments.rounds > 0, "--rounds must be at least 1");
    let Binaries { selvedge, load } = arguments.binaries.find(interrupts)?;
    let programs = postgres::programs(interrupts)?;
    let postgres = Server::start(&programs, &SETTINGS, interrupts)?;
    let means = Means {
        selvedge: &selvedge,
        load: &load,
        programs: &programs,
        postgres: &postgres,
        interrupts,
    };
    let started_at = Psql {
        programs: &programs,
        interrupts,
        url: &postgres.url("postgres"),
    }
    .value(r#"select to_char(now(), 'YYYYMMDD"T"HH24MISS"Z"')"#)?;
    let mut report = Report::new(started_at, arguments.connections);
    for store in Store::ALL {
        if arguments.store.is_some_and(|only| only != store) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        eprintln!("{}: setting the stage", store.name());
        let stage = Stage::set(&means, store, folder.path())?;
        for kind in kinds(stage.source) {
            if kind.name.contains(&arguments.only) {
                contest(
                    arguments,
                    &means,
                    store,
                    &stage,
                    &kind,
                    folder.path(),
                    &mut report,
                )?;
            }
        }
    }
    print!("{report}");
    println!("written to {}", report.write()?.display());
    Ok(ExitCode::SUCCESS)
}

fn contest(
    arguments: &ApiArguments,
    means: &Means<'_>,
    store: Store,
    stage: &Stage,
    kind: &Kind,
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    let token = match kind.method {
        "GET" => &stage.reader,
        _ => &stage.writer,
    };
    let mut next_number = 1;
    let program = |name: &str, url: &str, first_number: u64| {
        let mut command = Command::new(means.load);
        command.args([name, "--method", kind.method, "--url"]);
        command.arg(format!("{url}{}", kind.path));
        command.arg("--token").arg(token);
        command.args(["--first-number", &first_number.to_string()]);
        if let Some(encoding) = kind.accept_encoding {
            command.args(["--accept-encoding", encoding]);
        }
        if let Some(body) = kind.body {
            command.args(["--body", body]);
        }
        command
    };
    // The bare handler answers with the very bytes that we do.
    let body = folder.join("body");
    let mut save = program("ask", &stage.server.url, next_number);
    next_number += 1;
    save.stdout(std::fs::File::create(&body)?);
    ensure!(
        means.interrupts.run(&mut save)?.success(),
        "no answer to copy"
    );
    let mut bare = Command::new(means.load);
    bare.arg("bare")
        .arg("--body")
        .arg(&body)
        .stdout(Stdio::piped());
    if let Some(encoding) = kind.accept_encoding {
        bare.args(["--encoding", encoding]);
    }
    let bare = Process::start(&mut bare, |child| {
        child.stdout.take().map(|pipe| Box::new(pipe) as _)
    })?;

    for round in 0..arguments.rounds {
        let mut order = Contestant::ALL;
        order.rotate_left(round % Contestant::ALL.len());
        for contestant in order {
            let process = match contestant {
                Contestant::Selvedge => &stage.server,
                Contestant::Bare => &bare,
            };
            let mut generate = program("generate", &process.url, next_number);
            generate.args(["--seconds", &arguments.seconds.to_string()]);
            generate.args(["--connections", &arguments.connections.to_string()]);
            let before = process.used()?;
            let printed = means.interrupts.output(&mut generate)?;
            let after = process.used()?;
            let figures: Value = serde_json::from_str(&printed)?;
            let number = |name: &str| {
                let number = figures[name].as_f64();
                number.with_context(|| format!("{name} is missing"))
            };
            let sample = Sample {
                store: store.name(),
                kind: kind.name,
                contestant,
                requests_per_second: number("requests_per_second")?,
                p50_micros: number("p50_micros")?,
                p99_micros: number("p99_micros")?,
                body_bytes: number("body_bytes")?,
                cpu_micros: (after.cpu_seconds - before.cpu_seconds) * 1e6
                    / number("all_requests")?,
                peak_bytes: after.peak_bytes,
            };
            eprintln!(
                "{}, {}, {}: {:.0} requests/s",
                sample.store,
                sample.kind,
                contestant.name(),
                sample.requests_per_second
            );
            report.add(sample);
            next_number = figures["next_number"].as_u64().context("no next number")?;
        }
    }
    Ok(())
}
