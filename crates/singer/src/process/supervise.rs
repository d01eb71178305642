//! The thread of a tap: starts it, reads what it writes, holds it to its limits, and ends it.
//!
//! It lives as long as the tap does, because the tap is to die with its parent (see [`crate::Launcher`]), and the parent of
//! a process is the thread that started it.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::process::{ChildStdout, Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use selvedge_connector::{ConnectorError, ErrorKind, LogLevel};
use tokio_util::sync::CancellationToken;

use super::ending::Leader;
use super::{Activity, Flow, Output, pause, wait_readable};
use crate::limits::{TapLimits, ran_too_long, spoken};
use crate::log::{Attendant, AttendantSettings, LastWords, TapLog};
use crate::settings_file::SettingsFile;

/// How often limits and the wish to stop are looked at. A tap that says nothing for this long is silent for the moment.
const TICK: Duration = Duration::from_millis(100);
/// What waits for a whole batch is handed on after this time nevertheless.
const HAND_ON: Duration = Duration::from_secs(1);
/// Writing little by little, a tap gets time to write more: reading each line by itself would cost both more than the line.
const GATHER: Duration = Duration::from_millis(2);
/// Fewer bytes at once than these are little.
const LITTLE: usize = 32 << 10;
/// Wished for: what a tap writes meanwhile must not make it wait. The kernel may give less.
const PIPE_BYTES: usize = 1 << 20;
/// Without a pipe of at least this size nothing is gathered.
const ROOMY_PIPE_BYTES: usize = 256 << 10;

pub(crate) struct Supervision {
    /// With its streams, directory and process group set.
    pub(crate) command: Command,
    /// What the processes are marked with.
    pub(crate) run: OsString,
    pub(crate) limits: TapLimits,
    pub(crate) stop: CancellationToken,
    pub(crate) log: TapLog,
    pub(crate) settings_file: SettingsFile,
}

/// A tap that is over, with all its processes.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How its process ended; whether that was its own doing is said by `outcome`.
    pub(crate) status: ExitStatus,
    pub(crate) words: LastWords,
    /// Why it was ended, if it was. `Over` for one whose output nobody wanted any more.
    pub(crate) outcome: Result<Flow, ConnectorError>,
}

/// Runs a tap to its end, whatever that is.
pub(crate) fn supervise(
    supervision: Supervision,
    output: &mut impl Output,
) -> Result<Ended, ConnectorError> {
    let Supervision {
        mut command,
        run,
        limits,
        stop,
        log,
        settings_file,
    } = supervision;
    let child = command.spawn().map_err(|error| {
        let program = command.get_program().display();
        ConnectorError::internal(format!("the tap's program {program} could not be started"))
            .with_detail(error.to_string())
    })?;
    let mut leader = Leader::new(child, &run);
    let activity = Arc::new(Activity::new());
    let broken = |what: &str| ConnectorError::internal(format!("the tap's {what} is missing"));
    let stdout = leader.child().stdout.take();
    let stderr = leader.child().stderr.take();
    let attendant = Attendant::start(AttendantSettings {
        stderr: stderr.ok_or_else(|| broken("stderr"))?,
        log: log.clone(),
        limits: limits.clone(),
        activity: Arc::clone(&activity),
        settings_file,
    });
    let attendant = attendant.map_err(|error| {
        ConnectorError::internal("a thread could not be started").with_detail(error.to_string())
    })?;
    let mut reading = Reading {
        stdout: Some(Stdout::new(stdout.ok_or_else(|| broken("stdout"))?)),
        leader: &leader,
        watch: Watch {
            limits: &limits,
            stop: &stop,
            log: &log,
            activity: &activity,
            silence_told: Duration::ZERO,
        },
    };
    let read = reading.until_end(output);
    let stdout = reading.stdout.take();
    if !matches!(read, Ok(Flow::Continue)) {
        // It may write a little more to end in good order, which nobody reads any more.
        let mut rest = stdout;
        leader.terminate(limits.grace, |time| discard(&mut rest, time));
    } else {
        let left = leader.left_behind();
        if left > 0 {
            let (processes, are) = if left == 1 {
                ("process", "is")
            } else {
                ("processes", "are")
            };
            let text = format!("the tap left {left} {processes} behind, which {are} ended");
            log.say(LogLevel::Warning, &text);
        }
        drop(stdout);
    }
    let status = leader.finish(limits.grace).map_err(|error| {
        ConnectorError::internal("the tap could not be waited for").with_detail(error.to_string())
    });
    let words = attendant.finish();
    let status = status?;
    let outcome = read.and_then(|flow| match flow {
        Flow::Over => Ok(Flow::Over),
        Flow::Continue if status.success() => output.end(),
        // What it was writing when it failed is half a message.
        Flow::Continue => output.quiet(),
    });
    Ok(Ended {
        status,
        words,
        outcome,
    })
}

struct Reading<'a> {
    stdout: Option<Stdout>,
    leader: &'a Leader,
    watch: Watch<'a>,
}

impl Reading<'_> {
    /// Reads until the tap has ended by itself (`Continue`), or has to be ended.
    fn until_end(&mut self, output: &mut impl Output) -> Result<Flow, ConnectorError> {
        let read = self.read_all(output);
        if let Err(error) = &read
            && error.kind != ErrorKind::Stopped
        {
            // What came before the failure counts, if it can still be handed on; the failure stays the first one.
            if let Err(later) = output.quiet() {
                tracing::debug!(error = %later, "the last words of a tap were not handed on");
            }
        }
        read
    }

    fn read_all(&mut self, output: &mut impl Output) -> Result<Flow, ConnectorError> {
        let mut looked = Instant::now();
        let mut handed_on = Instant::now();
        // After the tap's end: what it may have left in the pipe. A child of it could write on for ever.
        let mut left: Option<usize> = None;
        while let Some(stdout) = &mut self.stdout {
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                self.watch.check()?;
                if left.is_none() && self.leader.has_ended() {
                    left = Some(stdout.pipe_bytes);
                }
            }
            match stdout.read(output.buffer()).map_err(unreadable)? {
                Some(0) => self.stdout = None,
                Some(count) => {
                    self.watch.activity.note();
                    let mut flow = output.filled(count)?;
                    if flow == Flow::Continue && handed_on.elapsed() >= HAND_ON {
                        flow = output.quiet()?;
                        handed_on = Instant::now();
                    }
                    // Time in which nobody took its words is not the tap's.
                    self.watch.activity.note();
                    if flow == Flow::Over {
                        return Ok(Flow::Over);
                    }
                    if let Some(left) = &mut left {
                        if *left <= count {
                            return Ok(Flow::Continue);
                        }
                        *left -= count;
                    }
                    if count < LITTLE && stdout.pipe_bytes >= ROOMY_PIPE_BYTES {
                        pause(GATHER);
                    }
                }
                None if wait_readable(&stdout.stream, TICK).map_err(unreadable)? => {}
                None => {
                    handed_on = Instant::now();
                    if output.quiet()? == Flow::Over {
                        return Ok(Flow::Over);
                    }
                    // Nothing there after its end: whoever holds the pipe is not the tap.
                    if left.is_some() {
                        return Ok(Flow::Continue);
                    }
                }
            }
        }
        // It has closed its output, which is nearly always its end.
        let mut wait = Duration::from_millis(1);
        while !self.leader.has_ended() {
            self.watch.check()?;
            pause(wait);
            wait = (wait * 2).min(TICK);
        }
        Ok(Flow::Continue)
    }
}

/// Holds a tap to its times.
struct Watch<'a> {
    limits: &'a TapLimits,
    stop: &'a CancellationToken,
    log: &'a TapLog,
    activity: &'a Activity,
    /// The length of the silence that the log was told of last.
    silence_told: Duration,
}

impl Watch<'_> {
    fn check(&mut self) -> Result<(), ConnectorError> {
        if self.stop.is_cancelled() {
            return Err(ConnectorError::stopped());
        }
        if let Some(total) = self.limits.total
            && self.activity.since_start() > total
        {
            return Err(ran_too_long(total));
        }
        let silent = self.activity.silent_for();
        if silent > self.limits.idle {
            let idle = spoken(self.limits.idle);
            return Err(ConnectorError::new(
                ErrorKind::Unreachable,
                format!(
                    "the tap was ended because it said nothing for {idle}, neither data nor log"
                ),
            ));
        }
        if silent < self.silence_told {
            self.silence_told = Duration::ZERO;
        }
        if silent >= self.silence_told + self.limits.heartbeat {
            let heartbeat = self.limits.heartbeat.max(Duration::from_millis(1));
            let beats = u32::try_from(silent.as_millis() / heartbeat.as_millis());
            self.silence_told = heartbeat * beats.unwrap_or(u32::MAX);
            let text = format!(
                "the tap runs, but has said nothing for {}",
                spoken(self.silence_told)
            );
            self.log.say(LogLevel::Info, &text);
        }
        Ok(())
    }
}

/// The reading end of a tap's output, never waiting.
struct Stdout {
    stream: ChildStdout,
    pipe_bytes: usize,
}

impl Stdout {
    fn new(stream: ChildStdout) -> Self {
        // Both only make reading faster or stopping prompt: a pipe of any size does.
        let pipe_bytes = enlarge(&stream);
        if let Err(error) = rustix::fs::fcntl_setfl(&stream, OFlags::NONBLOCK) {
            tracing::error!(%error, "a tap's stdout is read without looking up");
        }
        Self { stream, pipe_bytes }
    }

    /// `None` when there is nothing at the moment, 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.stream.read(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(target_os = "linux")]
fn enlarge(stream: &ChildStdout) -> usize {
    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};
    let enlarged = fcntl_setpipe_size(stream.as_fd(), PIPE_BYTES);
    let size = enlarged.or_else(|_| fcntl_getpipe_size(stream.as_fd()));
    size.unwrap_or(64 << 10)
}

#[cfg(not(target_os = "linux"))]
fn enlarge(_stream: &ChildStdout) -> usize {
    64 << 10
}

/// Takes what a tap writes that is being ended, so that it does not wait for a reader.
fn discard(stdout: &mut Option<Stdout>, time: Duration) {
    let Some(open) = stdout else {
        pause(time);
        return;
    };
    let mut nowhere = [0; 16 << 10];
    match wait_readable(&open.stream, time) {
        Ok(false) => {}
        Ok(true) => match open.read(&mut nowhere) {
            Ok(None | Some(1..)) => {}
            Ok(Some(0)) | Err(_) => *stdout = None,
        },
        Err(_) => *stdout = None,
    }
}

fn unreadable(error: io::Error) -> ConnectorError {
    ConnectorError::internal("the tap's output could not be read").with_detail(error.to_string())
}
