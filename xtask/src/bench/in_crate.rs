//! `cargo xtask bench shape`, `intake`, `spool` and `load`: benchmarks that stand in the crate they measure.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::interrupts::Interrupts;
use crate::{suite, workspace};

/// Builds and runs benchmarks of a crate; they print their own tables.
pub(crate) fn run(package: &str, benchmarks: &[&str]) -> Result<ExitCode> {
    let status = command(package, benchmarks)
        .status()
        .context("cargo bench cannot be started")?;
    Ok(workspace::exit_code(status))
}

/// The same with the PostgreSQL server that tests have.
pub(crate) fn run_with_postgres(
    package: &str,
    benchmarks: &[&str],
    interrupts: &Interrupts,
) -> Result<ExitCode> {
    suite::run_with_server(&mut command(package, benchmarks), interrupts)
}

fn command(package: &str, benchmarks: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(["bench", "-p", package]);
    for benchmark in benchmarks {
        command.args(["--bench", benchmark]);
    }
    command
}
