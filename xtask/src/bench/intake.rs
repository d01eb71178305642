//! `cargo xtask bench intake`: bodies that are pushed, against parsing them.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace;

/// Builds and runs the benchmark of the crate itself; it prints its own table.
pub(crate) fn run() -> Result<ExitCode> {
    let status = workspace::cargo()
        .args(["bench", "-p", "selvedge-intake"])
        .args(["--bench", "batch", "--bench", "push"])
        .status()
        .context("cargo bench cannot be started")?;
    Ok(workspace::exit_code(status))
}
