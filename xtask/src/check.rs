//! `cargo xtask check`: what a change has to pass before its tests are worth running.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::interrupts::Interrupts;
use crate::workspace;

/// A file beyond this many lines probably holds a second idea.
const LONG_FILE: usize = 300;

/// Formatting and lints fail; long files are only told.
pub(crate) fn run(interrupts: &Interrupts) -> Result<ExitCode> {
    let steps: [&[&str]; 2] = [
        &["fmt", "--all", "--", "--check"],
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ];
    let mut failed = false;
    for step in steps {
        let mut command = workspace::cargo();
        command.args(step);
        workspace::announce(&command);
        failed |= !interrupts.run(&mut command)?.success();
    }
    report_long_files()?;
    Ok(ExitCode::from(u8::from(failed)))
}

fn report_long_files() -> Result<()> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        collect(&workspace::root().join(folder), &mut files)?;
    }
    let total: usize = files.iter().map(|(_, lines)| lines).sum();
    println!("{} Rust files, {total} lines", files.len());
    files.retain(|(_, lines)| *lines > LONG_FILE);
    files.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    for (path, lines) in files {
        let path = path.strip_prefix(workspace::root()).unwrap_or(&path);
        println!("{lines:6}  {}", path.display());
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, usize)>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)?;
            files.push((path, text.lines().count()));
        }
    }
    Ok(())
}
