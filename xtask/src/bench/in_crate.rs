//! `cargo xtask bench shape`, `intake` and `spool`: benchmarks that stand in the crate they measure.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace;

/// Builds and runs benchmarks of a crate; they print their own tables.
pub(crate) fn run(package: &str, benchmarks: &[&str]) -> Result<ExitCode> {
    let mut command = workspace::cargo();
    command.args(["bench", "-p", package]);
    for benchmark in benchmarks {
        command.args(["--bench", benchmark]);
    }
    let status = command.status().context("cargo bench cannot be started")?;
    Ok(workspace::exit_code(status))
}
