//! One process of a tap, from its start until nothing of it is left.

mod ending;
mod output;
mod supervise;
pub(crate) mod sweep;

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub(crate) use output::{Collected, Decoded, Flow, Output};
pub(crate) use supervise::{Ended, Supervision, supervise};

/// When the tap was heard of last, on either of its streams.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    last_millis: AtomicU64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            last_millis: AtomicU64::new(0),
        }
    }

    pub(crate) fn note(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_millis.fetch_max(millis, Ordering::Relaxed);
    }

    pub(crate) fn silent_for(&self) -> Duration {
        let last = Duration::from_millis(self.last_millis.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last)
    }

    pub(crate) fn since_start(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Waits until there is something to read, or the other end is closed. `false` when the time is up.
pub(crate) fn wait_readable(stream: &impl AsFd, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::IN)], timeout)
}

/// Lets the time pass, on a thread of a tap's own.
pub(crate) fn pause(timeout: Duration) {
    if let Err(error) = wait(&mut [], timeout) {
        tracing::error!(%error, "a thread cannot wait");
    }
}

fn wait(streams: &mut [PollFd<'_>], timeout: Duration) -> io::Result<bool> {
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(streams, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
