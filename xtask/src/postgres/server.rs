//! One server in a temporary folder, for as long as the value lives.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::User;
use tempfile::TempDir;

use crate::interrupts::{self, Interrupts};
use crate::postgres::Programs;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops the server and removes its folder, in this order.
pub(crate) struct Server {
    process: Process,
    folder: TempDir,
    port: u16,
}

struct Process(Child);

impl Server {
    /// Starts a server on a free port of the loopback interface, with `settings` (`name=value`), and waits until it
    /// accepts connections. The superuser is `postgres` and needs no password.
    pub(crate) fn start(
        programs: &Programs,
        settings: &[&str],
        interrupts: &Interrupts,
    ) -> Result<Self> {
        let mut folder = tempfile::Builder::new()
            .prefix("selvedge-postgres-")
            .tempdir()
            .context("no temporary folder")?;
        let owner = owner()?;
        if let Some(owner) = &owner {
            let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
            chown(folder.path(), Some(user), Some(group))?;
        }
        let mut initdb = programs.command("initdb");
        initdb
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(folder.path().join("data"));
        run_as(&mut initdb, owner.as_ref(), folder.path());
        interrupts
            .output(&mut initdb)
            .context("no data directory for PostgreSQL")?;

        // Between choosing a free port and binding it somebody else may take it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let process = Process::spawn(programs, owner.as_ref(), folder.path(), port, settings)?;
            let mut server = Self {
                process,
                folder,
                port,
            };
            match server.wait_until_ready(interrupts)? {
                None => return Ok(server),
                Some(status) if server.log().contains("could not bind") => {
                    eprintln!("port {port} was taken meanwhile ({status}); trying another");
                    folder = server.folder;
                }
                Some(status) => bail!("PostgreSQL ended at once ({status}):\n{}", server.log()),
            }
        }
        bail!("PostgreSQL found no free port")
    }

    /// `postgres://…` of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `None` when the server accepts connections, its status when it has ended.
    fn wait_until_ready(&mut self, interrupts: &Interrupts) -> Result<Option<ExitStatus>> {
        let started = Instant::now();
        // The eighth line says how far the server is; `pg_ctl --wait` reads it too.
        let state = self.folder.path().join("data/postmaster.pid");
        loop {
            if let Some(status) = self.process.0.try_wait()? {
                return Ok(Some(status));
            }
            let text = std::fs::read_to_string(&state).unwrap_or_default();
            if text.lines().nth(7).map(str::trim) == Some("ready") {
                return Ok(None);
            }
            ensure!(
                started.elapsed() < START_TIMEOUT,
                "PostgreSQL is not ready after {START_TIMEOUT:?}:\n{}",
                self.log()
            );
            interrupts.pause(POLL)?;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Process {
    fn spawn(
        programs: &Programs,
        owner: Option<&User>,
        folder: &Path,
        port: u16,
        settings: &[&str],
    ) -> Result<Self> {
        let server = programs.command("postgres");
        // Where there is setpriv the kernel stops the server even when we are killed outright.
        let mut command = if setpriv_watches() {
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", "INT", "--"])
                .arg(server.get_program());
            command
        } else {
            server
        };
        command
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        run_as(&mut command, owner, folder);
        let log = File::create(folder.join("log"))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us; the server stops after the tests have.
            .process_group(0)
            .spawn()
            .map(Self)
            .with_context(|| format!("{} did not start", programs.folder().display()))
    }

    /// Fast shutdown, then immediate; by our child's own id, which nobody else can have before it is waited for.
    fn stop(&mut self) -> Result<()> {
        let pid = interrupts::pid(&self.0)?;
        for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL] {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            kill(pid, signal)?;
            let told = Instant::now();
            while told.elapsed() < STOP_TIMEOUT {
                if self.0.try_wait()?.is_some() {
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
            eprintln!("the PostgreSQL server of this run was not stopped: {error:#}");
        }
    }
}

/// Who is to run the server: PostgreSQL refuses root. `None` is whoever runs us.
fn owner() -> Result<Option<User>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")
}

fn run_as(command: &mut Command, owner: Option<&User>, folder: &Path) {
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
