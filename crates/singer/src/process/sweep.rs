//! Finds the processes of a run, those that left its process group too: they still carry the run's mark in their
//! environment. Needs `/proc`; where there is none, only the group is known.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::pause;
use crate::run_directory;

/// More than any environment that a tap is started with.
const ENVIRONMENT_BYTES: u64 = 1 << 20;
/// Killed processes are gone at once, but for those that the kernel holds.
const PATIENCE: Duration = Duration::from_secs(5);
const ROUND: Duration = Duration::from_millis(10);

/// Processes that belong to a run.
pub(crate) struct Kin {
    group: Option<Pid>,
    mark: Vec<u8>,
}

impl Kin {
    pub(crate) fn new(group: Option<Pid>, run: &OsStr) -> Self {
        let mark = run_directory::marker(run);
        Self { group, mark }
    }

    /// Those that still run.
    pub(crate) fn alive(&self) -> Vec<Pid> {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let ids = processes.filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let id = name.to_str()?.parse().ok()?;
            Pid::from_raw(id)
        });
        ids.filter(|process| self.is_kin(*process)).collect()
    }

    /// Sends a signal to each of them. Who takes a process's number between looking and sending is not hit.
    pub(crate) fn signal(&self, processes: &[Pid], signal: Signal) {
        for process in processes {
            self.signal_one(*process, signal);
        }
    }

    #[cfg(target_os = "linux")]
    fn signal_one(&self, process: Pid, signal: Signal) {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
        // The descriptor stands for this very process; the second look tells that it is the right one. Both fail only for a
        // process that is gone.
        if let Ok(descriptor) = pidfd_open(process, PidfdFlags::empty())
            && self.is_kin(process)
            && let Err(error) = pidfd_send_signal(descriptor, signal)
        {
            tracing::debug!(%error, "a process of a tap ended by itself");
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn signal_one(&self, process: Pid, signal: Signal) {
        if let Err(error) = rustix::process::kill_process(process, signal) {
            tracing::debug!(%error, "a process of a tap ended by itself");
        }
    }

    /// Kills them until none is left.
    pub(crate) fn kill(&self) {
        let started = Instant::now();
        loop {
            let alive = self.alive();
            if alive.is_empty() {
                return;
            }
            if started.elapsed() > PATIENCE {
                tracing::error!(processes = ?alive, "processes of a tap do not end");
                return;
            }
            // One that forks meanwhile is found in the next round.
            self.signal(&alive, Signal::KILL);
            pause(ROUND);
        }
    }

    fn is_kin(&self, process: Pid) -> bool {
        let Some(Status { zombie, group }) = Status::of(process) else {
            return false;
        };
        !zombie && (self.group.is_some_and(|own| own == group) || has_mark(process, &self.mark))
    }
}

/// Kills what is left of the run in this directory.
pub(crate) fn kill_marked(run: &OsStr) {
    Kin::new(None, run).kill();
}

struct Status {
    zombie: bool,
    group: Pid,
}

impl Status {
    /// From `/proc/<id>/stat`: `id (name) state parent group …`, where the name may be anything.
    fn of(process: Pid) -> Option<Self> {
        let path = format!("/proc/{}/stat", process.as_raw_nonzero());
        let text = String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned();
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let group = fields.nth(1)?.parse().ok()?;
        Some(Self {
            zombie: matches!(state, "Z" | "X"),
            group: Pid::from_raw(group)?,
        })
    }
}

/// Other users' environments cannot be read; their processes are none of ours.
fn has_mark(process: Pid, mark: &[u8]) -> bool {
    let path = format!("/proc/{}/environ", process.as_raw_nonzero());
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut environment = Vec::new();
    let read = file.take(ENVIRONMENT_BYTES).read_to_end(&mut environment);
    read.is_ok() && environment.split(|&byte| byte == 0).any(|one| one == mark)
}
