//! `cargo xtask soak --fuzz`: bodies that a fuzzer makes up, each target for a while.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::interrupts::Interrupts;
use crate::workspace;

/// What allows a stable compiler to build the instruments.
const STABLE: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");

/// Runs all targets, each for so many seconds. The corpus stays in `fuzz/corpus`; what makes a target fail, in `fuzz/artifacts`.
pub(super) fn run(seconds: u32, interrupts: &Interrupts) -> Result<ExitCode> {
    install(interrupts)?;
    let folder = workspace::root().join("fuzz");
    for target in targets(&folder)? {
        let corpus = folder.join("corpus").join(&target);
        std::fs::create_dir_all(&corpus)
            .with_context(|| format!("{} cannot be created", corpus.display()))?;
        let mut command = workspace::cargo();
        command
            .current_dir(&folder)
            .args(["fuzz", "run", "--sanitizer", "none", &target])
            .arg(&corpus);
        let seeds = folder.join("seeds").join(&target);
        if seeds.is_dir() {
            command.arg(seeds);
        }
        command
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args(["-max_len=16384", "-timeout=10"])
            .env(STABLE.0, STABLE.1);
        workspace::announce(&command);
        let status = interrupts.run(&mut command)?;
        if !status.success() {
            return Ok(workspace::exit_code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Names of the targets, sorted.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let sources = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&sources).context("the targets cannot be listed")? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    ensure!(!names.is_empty(), "{} holds no target", sources.display());
    Ok(names)
}

/// Installs `cargo fuzz` unless it is there.
fn install(interrupts: &Interrupts) -> Result<()> {
    let mut asked = workspace::cargo();
    asked
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if interrupts.run(&mut asked)?.success() {
        return Ok(());
    }
    let mut command: Command = workspace::cargo();
    command.args(["install", "cargo-fuzz", "--locked"]);
    workspace::announce(&command);
    let status = interrupts.run(&mut command)?;
    ensure!(status.success(), "cargo-fuzz could not be installed");
    Ok(())
}
