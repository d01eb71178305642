//! Wall time, CPU time and peak memory of a program.
//!
//! The system adds up what all waited-for children of a process used, so each measured program gets a parent of its own:
//! this executable again, with the hidden task `measure`. What the parent itself used is not in the figures.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::{Value, json};

use crate::interrupts::Interrupts;
use crate::workspace;

#[derive(Args)]
pub(crate) struct MeasureArguments {
    /// File for the figures.
    #[arg(long)]
    report: PathBuf,
    /// Program and arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// What a program and its own waited-for children used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) wall_seconds: f64,
    /// User and system time.
    pub(crate) cpu_seconds: f64,
    /// Resident set of the largest single process.
    pub(crate) peak_bytes: u64,
}

/// The hidden task: runs the program, writes the figures, ends as the program ended.
pub(crate) fn measure(arguments: &MeasureArguments) -> Result<ExitCode> {
    let (program, rest) = arguments
        .command
        .split_first()
        .context("no program to measure")?;
    let started = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .status()
        .with_context(|| format!("{program} did not start"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time() + usage.system_time();
    let figures = json!({
        "wall_seconds": wall_seconds,
        "cpu_micros": cpu.num_microseconds(),
        "peak_kibibytes": usage.max_rss(),
    });
    std::fs::write(&arguments.report, figures.to_string())?;
    Ok(workspace::exit_code(status))
}

/// Runs `command` under the hidden task. Fails when the command does.
pub(crate) fn measured(command: &Command, folder: &Path, interrupts: &Interrupts) -> Result<Usage> {
    let report = folder.join("usage.json");
    let mut parent = Command::new(std::env::current_exe()?);
    parent.arg("measure").arg("--report").arg(&report).arg("--");
    parent.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => parent.env(name, value),
            None => parent.env_remove(name),
        };
    }
    interrupts.output(&mut parent)?;
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
    let number = |name: &str| {
        figures[name]
            .as_f64()
            .with_context(|| format!("{name} is missing"))
    };
    let usage = Usage {
        wall_seconds: number("wall_seconds")?,
        cpu_seconds: number("cpu_micros")? / 1e6,
        peak_bytes: figures["peak_kibibytes"]
            .as_u64()
            .context("peak_kibibytes is missing")?
            * 1024,
    };
    ensure!(usage.wall_seconds > 0.0, "no time passed");
    Ok(usage)
}
