//! Programs that install: run with nothing but the given surroundings, for a limited time, keeping what they said last.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// What is kept of an output, from its end.
const KEPT_BYTES: usize = 256 << 10;
/// Lines of it that an error shows.
const SHOWN_LINES: usize = 12;

/// Environment variables for child processes.
#[derive(Clone, Debug)]
pub(super) struct Variables(Arc<[(OsString, OsString)]>);

impl Variables {
    /// Without those that would change what a Python does.
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        const CONFUSING: [&str; 4] = ["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER"];
        let confuses = |name: &OsStr| CONFUSING.iter().any(|confusing| name == *confusing);
        let variables = variables.into_iter();
        Self(variables.filter(|(name, _)| !confuses(name)).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_os_str())
    }

    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.0.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) success: bool,
    pub(super) stdout: String,
    stderr: String,
}

/// Why there is no end to speak of.
#[derive(Debug)]
pub(super) enum NotEnded {
    /// It could not be started.
    Start(std::io::Error),
    /// It was killed after the limit.
    TooSlow,
}

impl Ended {
    /// The last lines of what it said, of its errors above all.
    pub(super) fn said(&self) -> String {
        let text = match self.stderr.trim() {
            "" => self.stdout.trim(),
            stderr => stderr,
        };
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let shown = lines.len().saturating_sub(SHOWN_LINES);
        match lines[shown..].join("\n") {
            said if said.is_empty() => "it said nothing".to_owned(),
            said => said,
        }
    }
}

/// Runs a program to its end.
pub(super) async fn run(
    mut command: Command,
    stdin: Stdio,
    limit: Duration,
) -> Result<Ended, NotEnded> {
    let child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(NotEnded::Start)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(tail(stdout), tail(stderr), child.wait()) };
    let Ok((stdout, stderr, status)) = tokio::time::timeout(limit, all).await else {
        return Err(NotEnded::TooSlow);
    };
    Ok(Ended {
        success: status.map_err(NotEnded::Start)?.success(),
        stdout,
        stderr,
    })
}

/// The end of an output.
async fn tail(output: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut output) = output else {
        return String::new();
    };
    let mut kept = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    // An output that breaks off is over.
    while let Ok(read @ 1..) = output.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * KEPT_BYTES {
            kept.drain(..kept.len() - KEPT_BYTES);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
