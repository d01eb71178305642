//! Ctrl-C and termination: children are told, servers are stopped, nothing is left running.

use std::fmt;
use std::io::{IsTerminal as _, Read as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The error of a task that was told to stop.
#[derive(Debug)]
pub(crate) struct Interrupted(i32);

impl Interrupted {
    /// 128 and the signal's number, as shells have it.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::try_from(128 + self.0).unwrap_or(1))
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "stopped by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// Notices SIGINT, SIGTERM and SIGHUP instead of dying of them, so that destructors run.
pub(crate) struct Interrupts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    signal: Option<i32>,
    /// The child in the foreground; not reaped while it stands here, so its id is its own.
    child: Option<Pid>,
}

impl Interrupts {
    pub(crate) fn listen() -> Result<Self> {
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals cannot be caught")?;
        let shared = Arc::new(Shared::default());
        let listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for signal in signals.forever() {
                listener.interrupt(signal);
            }
        });
        Ok(Self(shared))
    }

    /// Returns after `duration`, or with an error as soon as a signal comes.
    pub(crate) fn pause(&self, duration: Duration) -> Result<()> {
        let state = self.0.lock();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, duration, |state| state.signal.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.check()
    }

    /// Runs a child to its end; signals are passed on to it.
    pub(crate) fn run(&self, command: &mut Command) -> Result<ExitStatus> {
        let mut child = self.spawn(command)?;
        self.finish(&mut child)
    }

    /// The same, taking its standard output. Fails, with what it printed to standard error, when the child does.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String> {
        let mut child = self.spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let mut errors = child.stderr.take().context("standard error is a pipe")?;
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).map(|_| text)
        });
        let mut text = String::new();
        child
            .stdout
            .take()
            .context("standard output is a pipe")?
            .read_to_string(&mut text)?;
        let status = self.finish(&mut child)?;
        let errors = errors
            .join()
            .map_err(|_| anyhow::anyhow!("the reader of standard error panicked"))??;
        anyhow::ensure!(
            status.success(),
            "{} failed ({status}): {}",
            command.get_program().to_string_lossy(),
            errors.trim()
        );
        Ok(text)
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        let mut state = self.0.lock();
        state.check()?;
        let child = command.spawn().with_context(|| {
            format!("{} did not start", command.get_program().to_string_lossy())
        })?;
        state.child = Some(pid(&child)?);
        Ok(child)
    }

    fn finish(&self, child: &mut Child) -> Result<ExitStatus> {
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        let pid = pid(child)?;
        while let Err(error) = waitid(Id::Pid(pid), ended) {
            anyhow::ensure!(error == nix::errno::Errno::EINTR, "waiting failed: {error}");
        }
        let mut state = self.0.lock();
        state.child = None;
        let status = child.wait()?;
        state.check()?;
        Ok(status)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is plain data and right after every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interrupt(&self, signal: i32) {
        let mut state = self.lock();
        state.signal = Some(signal);
        self.changed.notify_all();
        // A terminal sends Ctrl-C to the whole group: a second one would mean "at once" to the child.
        let child_knows = signal == SIGINT && std::io::stdin().is_terminal();
        if let (Some(child), false) = (state.child, child_knows)
            && let Ok(signal) = Signal::try_from(signal)
            && let Err(error) = kill(child, signal)
        {
            eprintln!("process {child} could not be told to stop: {error}");
        }
    }
}

impl State {
    fn check(&self) -> Result<()> {
        match self.signal {
            Some(signal) => Err(Interrupted(signal).into()),
            None => Ok(()),
        }
    }
}

/// A child's process id.
pub(crate) fn pid(child: &Child) -> Result<Pid> {
    let id = i32::try_from(child.id()).context("process ids are positive and small")?;
    Ok(Pid::from_raw(id))
}
