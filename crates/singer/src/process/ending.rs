//! The end of a tap, whatever it was: nothing of it stays.

use std::ffi::OsStr;
use std::io;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::pause;
use super::sweep::Kin;

const ROUND: Duration = Duration::from_millis(20);

/// The tap's first process. It is only reaped at the very end: until then its number, which is the group's, stays taken.
pub(crate) struct Leader {
    child: Child,
    id: Pid,
    kin: Kin,
    reaped: bool,
}

impl Leader {
    /// `child` leads a process group; `run` is what its processes are marked with.
    pub(crate) fn new(child: Child, run: &OsStr) -> Self {
        let id = Pid::from_child(&child);
        Self {
            child,
            id,
            kin: Kin::new(Some(id), run),
            reaped: false,
        }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.id), options) {
            Ok(status) => status.is_some(),
            Err(rustix::io::Errno::INTR) => false,
            // Nobody else waits for our children: there is nothing to wait for.
            Err(_) => true,
        }
    }

    /// Asks the tap to end, and waits for that; `meanwhile` keeps its pipes from filling up.
    pub(crate) fn terminate(&self, grace: Duration, mut meanwhile: impl FnMut(Duration)) {
        self.signal_group(Signal::TERM);
        let asked = Instant::now();
        while !self.has_ended() && asked.elapsed() < grace {
            meanwhile(ROUND);
        }
        if !self.has_ended() {
            self.signal_group(Signal::KILL);
        }
    }

    /// The processes that the tap has left behind.
    pub(crate) fn left_behind(&self) -> usize {
        self.kin.alive().len()
    }

    /// Ends what the tap has left behind: first politely, then not. Returns its own exit status.
    pub(crate) fn finish(mut self, grace: Duration) -> io::Result<ExitStatus> {
        let alive = self.kin.alive();
        if !alive.is_empty() {
            self.kin.signal(&alive, Signal::TERM);
            let asked = Instant::now();
            while !self.kin.alive().is_empty() && asked.elapsed() < grace {
                pause(ROUND);
            }
        }
        self.signal_group(Signal::KILL);
        self.kin.kill();
        self.reaped = true;
        self.child.wait()
    }

    fn signal_group(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.id, signal) {
            tracing::debug!(%error, "the group of a tap ended by itself");
        }
    }
}

impl Drop for Leader {
    /// Only when a thread crashes; else the leader is finished.
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        self.signal_group(Signal::KILL);
        self.kin.kill();
        if let Err(error) = self.child.wait() {
            tracing::error!(%error, "a tap could not be waited for");
        }
    }
}
