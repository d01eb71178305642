//! `cargo xtask bench shape`, `intake`, `spool` and `load`: benchmarks that stand in the crates they measure.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::interrupts::Interrupts;
use crate::mariadb::{self, Kind};
use crate::shell_tools::SQLITE_SHELL;
use crate::{suite, workspace};

#[derive(Args)]
pub(crate) struct LoadArguments {
    /// All of them by default.
    #[arg(value_enum)]
    destinations: Vec<Destination>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Destination {
    Postgres,
    Mariadb,
    Sqlite,
    /// A directory of this machine, and a bucket of an emulator.
    Files,
}

impl Destination {
    fn package(self) -> &'static str {
        match self {
            Self::Postgres => "selvedge-dest-postgres",
            Self::Mariadb => "selvedge-dest-mysql",
            Self::Sqlite => "selvedge-dest-sqlite",
            Self::Files => "selvedge-dest-lake",
        }
    }
}

/// Builds and runs benchmarks of a crate; they print their own tables.
pub(crate) fn run(package: &str, benchmarks: &[&str]) -> Result<ExitCode> {
    let status = command(&[package], benchmarks)
        .status()
        .context("cargo bench cannot be started")?;
    Ok(workspace::exit_code(status))
}

/// Loading, with what the chosen destinations need beside them.
pub(crate) fn load(arguments: &LoadArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    let chosen = match arguments.destinations.as_slice() {
        [] => Destination::value_variants(),
        chosen => chosen,
    };
    let packages: Vec<&str> = chosen.iter().map(|one| one.package()).collect();
    let mut command = command(&packages, &["load"]);
    let needs = |destination| chosen.contains(&destination);
    if needs(Destination::Sqlite) {
        SQLITE_SHELL.provide(interrupts)?;
    }
    let mariadb = match needs(Destination::Mariadb) {
        true => mariadb::provide(&mut command, &[Kind::Open], interrupts)?,
        false => Vec::new(),
    };
    let buckets = match needs(Destination::Files) {
        true => suite::give_buckets(&mut command, interrupts)?,
        false => None,
    };
    let ended = match needs(Destination::Postgres) {
        true => suite::run_with_server(&mut command, interrupts),
        false => interrupts.run(&mut command).map(workspace::exit_code),
    };
    drop((mariadb, buckets));
    ended
}

fn command(packages: &[&str], benchmarks: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.arg("bench");
    for package in packages {
        command.args(["-p", package]);
    }
    for benchmark in benchmarks {
        command.args(["--bench", benchmark]);
    }
    command
}
