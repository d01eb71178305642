//! `cargo xtask bench`: ratios against what the parts do by themselves, in one run on one machine.

mod api;
mod binaries;
mod client;
mod contest;
mod dataset;
mod import;
mod in_crate;
mod layout;
mod measure;
mod pg_to_pg;
mod process;
mod psql;
mod report;
mod singer;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::interrupts::Interrupts;

pub(crate) use measure::{MeasureArguments, measure};

#[derive(Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Full copies from PostgreSQL to PostgreSQL, against `COPY | COPY`.
    PgToPg(pg_to_pg::PgToPgArguments),
    /// Requests to the API, against a bare handler with answers of the same size.
    Api(api::ApiArguments),
    /// Data pushed to the Import API, against parsing and durable writing alone.
    Import(import::ImportArguments),
    /// What a Singer tap writes, loaded into PostgreSQL, against public Singer targets.
    Singer(singer::SingerArguments),
    /// JSON records into columns, against parsing them into values.
    Shape,
    /// Bodies that are pushed, against parsing them into values.
    Intake,
    /// Durable entries of the intake log, against plain writers that sync once per group.
    Spool,
    /// Prepared batches into each destination, against its own bulk load of the same rows from a file.
    Load(in_crate::LoadArguments),
}

/// Runs the benchmark that the arguments name.
pub(crate) fn run(arguments: &BenchArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    match &arguments.benchmark {
        Benchmark::PgToPg(arguments) => pg_to_pg::run(arguments, interrupts),
        Benchmark::Api(arguments) => api::run(arguments, interrupts),
        Benchmark::Import(arguments) => import::run(arguments, interrupts),
        Benchmark::Singer(arguments) => singer::run(arguments, interrupts),
        Benchmark::Shape => in_crate::run("selvedge-shape", &["json"]),
        Benchmark::Intake => in_crate::run("selvedge-intake", &["batch", "push"]),
        Benchmark::Spool => in_crate::run("selvedge-spool", &["append"]),
        Benchmark::Load(arguments) => in_crate::load(arguments, interrupts),
    }
}
