//! A server of a test run: started as a user that it accepts, stopped by its own id.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::User;

use crate::interrupts;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops the server.
pub(crate) struct Daemon {
    name: &'static str,
    child: Child,
    /// From polite to final.
    signals: &'static [Signal],
}

impl Daemon {
    /// Starts `server` in `folder`, writing to the file `log` there.
    pub(crate) fn spawn(
        name: &'static str,
        server: Command,
        signals: &'static [Signal],
        owner: Option<&User>,
        folder: &Path,
    ) -> Result<Self> {
        // Where there is setpriv the kernel stops the server even when we are killed outright.
        let mut command = if setpriv_watches() {
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", signals[0].as_str(), "--"])
                .arg(server.get_program())
                .args(server.get_args());
            command
        } else {
            server
        };
        run_as(&mut command, owner, folder);
        let log = File::create(folder.join("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us; the server stops after the tests have.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} did not start"))?;
        Ok(Self {
            name,
            child,
            signals,
        })
    }

    /// Its status, when it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// By our child's own id, which nobody else can have before it is waited for.
    fn stop(&mut self) -> Result<()> {
        let pid = interrupts::pid(&self.child)?;
        for signal in self.signals {
            if self.ended()?.is_some() {
                return Ok(());
            }
            kill(pid, *signal)?;
            let told = Instant::now();
            while told.elapsed() < STOP_TIMEOUT {
                if self.ended()?.is_some() {
                    return Ok(());
                }
                std::thread::park_timeout(POLL);
            }
        }
        bail!("process {pid} does not end")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!(
                "the {} server of this run was not stopped: {error:#}",
                self.name
            );
        }
    }
}

/// Who is to run a server that refuses root: the first of `names` that there is, or nobody. `None` is whoever runs us.
pub(crate) fn owner(names: &[&str]) -> Result<Option<User>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in names.iter().chain(&["nobody"]) {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!("the server does not run as root, and there is no user of these: {names:?}, nobody")
}

pub(crate) fn run_as(command: &mut Command, owner: Option<&User>, folder: &Path) {
    command.current_dir(folder);
    if let Some(owner) = owner {
        // Drops root's supplementary groups too.
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
}

fn setpriv_watches() -> bool {
    Command::new("setpriv")
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
