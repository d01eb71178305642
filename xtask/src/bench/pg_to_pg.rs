//! `cargo xtask bench pg-to-pg`: full copies of a narrow and a wide table, by us and by `COPY | COPY`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::bench::contest::{Arena, Contestant};
use crate::bench::dataset::Dataset;
use crate::bench::layout::{Fidelity, Layout};
use crate::bench::report::{Report, Sample};
use crate::interrupts::Interrupts;
use crate::postgres::{self, Server};
use crate::workspace;

/// The same for source and destination, and for all contestants. Durable, as a customer's server is; no background
/// worker and no timed checkpoint comes in between.
const SETTINGS: [&str; 9] = [
    "shared_buffers=256MB",
    "maintenance_work_mem=256MB",
    "fsync=on",
    "synchronous_commit=on",
    "wal_level=replica",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
    "autovacuum=off",
    "jit=off",
];

#[derive(Args)]
#[command(after_help = "\
Three contestants copy each table in turn, into a new database each time, and the order changes with each repetition:
  selvedge            `selvedge sync`, the release build, from start to exit
  pipe, same columns  `psql COPY (select …) | psql COPY` with exactly our columns and types, then the primary key
  pipe, bare          the same with the source's columns as they are, without system columns
After each copy the number of rows, a checksum over all data and the primary key are compared with the source.
A ratio above 1 means that we are faster. CPU seconds are those of the client processes, without the servers.")]
pub(crate) struct PgToPgArguments {
    #[arg(long, default_value_t = 2_000_000)]
    narrow_rows: u64,
    #[arg(long, default_value_t = 300_000)]
    wide_rows: u64,
    /// How often each contestant copies each table.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Multiplies both numbers of rows.
    #[arg(long, default_value_t = 1.0)]
    rows_factor: f64,
    /// Only this type mapping.
    #[arg(long, value_enum)]
    fidelity: Option<Fidelity>,
    /// Only this table.
    #[arg(long, value_enum)]
    table: Option<Table>,
    /// This `selvedge` instead of a release build made now.
    #[arg(long, conflicts_with = "pipes_only")]
    binary: Option<PathBuf>,
    /// Without `selvedge`: tries the pipes and the checks.
    #[arg(long)]
    pipes_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Table {
    Narrow,
    Wide,
}

/// Builds, measures, prints, and writes `target/bench/pg-to-pg-<time>.json`.
pub(crate) fn run(arguments: &PgToPgArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    ensure!(arguments.repeat > 0, "--repeat must be at least 1");
    ensure!(
        arguments.rows_factor > 0.0 && arguments.rows_factor.is_finite(),
        "--rows-factor must be a positive number"
    );
    let binary = match &arguments.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => workspace::release_binary("selvedge"),
    };
    if arguments.binary.is_none() && !arguments.pipes_only {
        let mut build = workspace::cargo();
        build.args(["build", "--release", "--package", "selvedge"]);
        workspace::announce(&build);
        ensure!(
            interrupts.run(&mut build)?.success(),
            "selvedge does not build"
        );
    }
    let programs = postgres::programs(interrupts)?;
    let source = Server::start(&programs, &SETTINGS, interrupts)?;
    let destination = Server::start(&programs, &SETTINGS, interrupts)?;
    let folder = tempfile::tempdir()?;
    let arena = Arena {
        programs: &programs,
        source: &source,
        destination: &destination,
        interrupts,
        binary: &binary,
        folder: folder.path(),
    };
    let mut report = Report::new(arena.now()?, arena.version()?, &SETTINGS);
    for dataset in datasets(arguments) {
        eprintln!("{}: filling {} rows", dataset.name, dataset.rows);
        arena.fill(&dataset)?;
        for fidelity in Fidelity::ALL {
            if arguments.fidelity.is_none_or(|only| only == fidelity) {
                contest(arguments, &arena, &dataset, fidelity, &mut report)?;
            }
        }
    }
    print!("{report}");
    println!("written to {}", report.write()?.display());
    Ok(ExitCode::SUCCESS)
}

fn datasets(arguments: &PgToPgArguments) -> Vec<Dataset> {
    let scaled = |rows: u64| ((rows as f64 * arguments.rows_factor) as u64).max(1);
    let mut datasets = Vec::new();
    if arguments.table != Some(Table::Wide) {
        datasets.push(Dataset::narrow(scaled(arguments.narrow_rows)));
    }
    if arguments.table != Some(Table::Narrow) {
        datasets.push(Dataset::wide(scaled(arguments.wide_rows)));
    }
    datasets
}

fn contest(
    arguments: &PgToPgArguments,
    arena: &Arena<'_>,
    dataset: &Dataset,
    fidelity: Fidelity,
    report: &mut Report,
) -> Result<()> {
    let mut layout = arguments
        .pipes_only
        .then(|| Layout::documented(dataset, fidelity));
    for repetition in 0..arguments.repeat {
        // Who goes first changes, so that a drifting machine favours nobody. Ours is first once, to set the columns.
        let mut order = Contestant::ALL;
        order.rotate_left(repetition % Contestant::ALL.len());
        for contestant in order {
            if arguments.pipes_only && contestant == Contestant::Ours {
                continue;
            }
            let usage = arena.copy(contestant, dataset, fidelity, &mut layout)?;
            eprintln!(
                "{}, {}, {}: {:.2} s",
                dataset.name,
                fidelity.name(),
                contestant.name(),
                usage.wall_seconds
            );
            report.add(Sample {
                table: dataset.name,
                rows: dataset.rows,
                fidelity,
                contestant,
                usage,
            });
        }
    }
    Ok(())
}
