//! `cargo xtask bench shape`: JSON records into columns, against parsing them.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace;

/// Builds and runs the benchmark of the crate itself; it prints its own table.
pub(crate) fn run() -> Result<ExitCode> {
    let status = workspace::cargo()
        .args(["bench", "-p", "selvedge-shape", "--bench", "json"])
        .status()
        .context("cargo bench cannot be started")?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
