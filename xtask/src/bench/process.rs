//! A server that runs while it is measured, and what the system says it has used.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};

use crate::interrupts;

const STOP_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A child that has said where it listens. Dropping it stops it.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

/// Totals since the start of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
}

impl Process {
    /// Starts a program and waits until it prints `http://ADDRESS:PORT` on the output that `printed` takes.
    pub(crate) fn start(
        command: &mut Command,
        printed: impl FnOnce(&mut Child) -> Option<Box<dyn Read + Send>>,
    ) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} did not start"))?;
        let mut process = Self {
            child,
            url: String::new(),
        };
        let output = printed(&mut process.child).context("the output is a pipe")?;
        let mut lines = BufReader::new(output).lines();
        let mut seen = String::new();
        for line in &mut lines {
            let line = line?;
            if let Some(url) = url(&line) {
                process.url = url;
                // Read on, so that a full pipe never makes the program wait.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(process);
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        bail!("{name} ended without saying where it listens:\n{seen}")
    }

    pub(crate) fn used(&self) -> Result<Used> {
        let folder = format!("/proc/{}", self.child.id());
        let stat = std::fs::read_to_string(format!("{folder}/stat"))?;
        // Behind the name, which may hold anything: state is the first field, user and system time are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(')').context("no process name")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().context("no number of ticks"))
            .sum::<Result<u64>>()?;
        let status = std::fs::read_to_string(format!("{folder}/status"))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().strip_suffix("kB"))
            .context("no peak of the resident set")?;
        Ok(Used {
            // The kernel counts a hundred ticks per second on every platform it shows them on.
            cpu_seconds: ticks as f64 / 100.0,
            peak_bytes: peak.trim().parse::<u64>()? * 1024,
        })
    }

    fn stop(&mut self) -> Result<()> {
        let pid = interrupts::pid(&self.child)?;
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            kill(pid, signal)?;
            let told = Instant::now();
            while told.elapsed() < STOP_TIMEOUT {
                if self.child.try_wait()?.is_some() {
                    return Ok(());
                }
                std::thread::park_timeout(POLL);
            }
        }
        bail!("process {pid} does not end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("a measured server was not stopped: {error:#}");
        }
    }
}

/// The first `http://ADDRESS:PORT` of a line.
fn url(line: &str) -> Option<String> {
    let start = line.find("http://")?;
    let url: String = line[start..]
        .chars()
        .take_while(|character| !character.is_whitespace() && *character != ';')
        .collect();
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn the_address_is_found_in_a_line() {
        let found = url("Selvedge 0.1.0 listens on http://127.0.0.1:4321; next: more");
        assert_eq!(found.as_deref(), Some("http://127.0.0.1:4321"));
        assert_eq!(
            url("http://127.0.0.1:1").as_deref(),
            Some("http://127.0.0.1:1")
        );
        assert_eq!(url("nothing"), None);
    }
}
