//! `selvedge taps doctor`: everything that taps need, tried out.

use std::io;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use selvedge_singer::{TapProgram, TapUser};
use selvedge_taps::Environments;
use serde::Serialize;
use tokio::process::Command;

use super::Desk;
use crate::table;

/// With less, an installation of a large tap may fail half way.
const LOW_DISK_MIB: u64 = 1_024;
/// A tap that has not printed its help by then hangs.
const HELP_LIMIT: Duration = Duration::from_secs(120);

#[derive(Serialize)]
struct Finding {
    check: String,
    good: bool,
    said: String,
}

pub(super) async fn run(desk: &Desk, as_json: bool) -> anyhow::Result<ExitCode> {
    let environments = desk.taps.environments();
    let mut findings = installer(environments).await;
    findings.push(disk(environments.directory()));
    findings.push(confined());
    findings.push(user(desk));
    for type_name in desk.settings.types() {
        findings.extend(tap(desk, type_name).await);
    }
    let good = findings.iter().all(|finding| finding.good);
    for finding in findings {
        if as_json {
            println!("{}", serde_json::to_string(&finding)?);
        } else {
            let mark = if finding.good { "ok   " } else { "WRONG" };
            println!("{mark}  {}: {}", finding.check, finding.said);
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn finding(check: impl Into<String>, result: Result<String, String>) -> Finding {
    let good = result.is_ok();
    let (Ok(said) | Err(said)) = result;
    Finding {
        check: check.into(),
        good,
        said,
    }
}

/// Python, what installs for it, and the index: by doing what an installation does.
async fn installer(environments: &Environments) -> Vec<Finding> {
    let installer = match environments.installer().await {
        Ok(installer) => installer,
        Err(error) => return vec![finding("Python", Err(error.to_string()))],
    };
    let python = installer.python();
    let found = format!("{} at {}", python.version, python.path.display());
    let rehearsed = environments.rehearse().await;
    let index = rehearsed
        .map(|()| "a package was fetched and installed".to_owned())
        .map_err(|error| error.to_string());
    vec![
        finding("Python", Ok(found)),
        finding("installer", Ok(installer.name().to_owned())),
        finding("package index", index),
    ]
}

fn disk(directory: &Path) -> Finding {
    let free = rustix::fs::statvfs(existing(directory))
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
        .map_err(|error| format!("{} cannot be looked at: {error}", directory.display()));
    let free = free.and_then(|mib| {
        let said = format!(
            "{} MiB are free for {}",
            table::grouped(mib),
            directory.display()
        );
        if mib >= LOW_DISK_MIB {
            Ok(said)
        } else {
            Err(said)
        }
    });
    finding("disk", free)
}

/// How taps are kept in their place here. Less than everything is no fault: not every system can.
fn confined() -> Finding {
    let sentences = selvedge_singer::confinement().to_string();
    finding("confinement", Ok(sentences.replace('\n', " ")))
}

/// Whom taps run as. Root is no fault: the server may be alone in its container.
fn user(desk: &Desk) -> Finding {
    let is_root = rustix::process::geteuid().is_root();
    let said = match desk.settings.user() {
        Some(user) => user
            .check(existing(desk.taps.environments().directory()))
            .map(|()| format!("taps run as {user}"))
            .map_err(|error| format!("taps.user: {error}")),
        None if is_root => Ok(
            "taps of a server that runs as root are root too, unless taps.user names another user"
                .to_owned(),
        ),
        None => Ok("taps run as the server's user".to_owned()),
    };
    finding("user", said)
}

/// The nearest directory that is there.
fn existing(directory: &Path) -> &Path {
    let there = directory.ancestors().find(|directory| directory.exists());
    there.unwrap_or(directory)
}

/// An installed tap: whether it prints its help, and gets what it needs.
async fn tap(desk: &Desk, type_name: &str) -> Option<Finding> {
    let program = match desk.taps.package(type_name) {
        Some(package) => match desk.taps.environments().find(package) {
            Ok(None) => return None,
            Ok(Some(environment)) => Ok(environment.program()),
            Err(error) => Err(error.to_string()),
        },
        None => {
            let program = desk.taps.program(type_name).await;
            program.map_err(|error| error.to_string())
        }
    };
    let helped = match program {
        Ok(program) => help(&program, desk.settings.user()).await,
        Err(error) => Err(error),
    };
    let complete = helped.and_then(|said| match desk.taps.unsupplied(type_name) {
        None => Ok(said),
        Some(lacking) => Err(format!("{said}, but {lacking}")),
    });
    Some(finding(type_name, complete))
}

/// Why nothing was started, and what to do about it.
fn not_started(program: &TapProgram, user: Option<TapUser>, error: &io::Error) -> String {
    let program = &program.program;
    match user {
        Some(user) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why = match user.barred_from(program) {
                Some(barred) => barred.to_string(),
                None => format!("may not start {}, or what reads it", program.display()),
            };
            format!(
                "the user {user} (taps.user) {why}: give it the right to (`chmod o+x`), or install the tap again with a Python that \
                 everybody may use (taps.python)"
            )
        }
        _ => format!("{} does not start: {error}", program.display()),
    }
}

async fn help(program: &TapProgram, user: Option<TapUser>) -> Result<String, String> {
    let mut command = Command::new(&program.program);
    command
        .args(&program.arguments)
        .arg("--help")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(user) = user {
        // Leaves the groups of root too.
        command.uid(user.uid).gid(user.gid).current_dir("/");
    }
    for name in ["SELVEDGE_MASTER_KEY", "SELVEDGE_DATABASE_URL"] {
        command.env_remove(name);
    }
    let ended = tokio::time::timeout(HELP_LIMIT, command.output()).await;
    let ended = ended.map_err(|_| "it does not answer".to_owned())?;
    let ended = match ended {
        Ok(ended) if ended.status.success() => return Ok("starts".to_owned()),
        Ok(ended) => ended,
        Err(error) => return Err(not_started(program, user, &error)),
    };
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said
        .trim()
        .lines()
        .next_back()
        .unwrap_or_default()
        .to_owned();
    Err(format!("does not start ({}): {last}", ended.status))
}
