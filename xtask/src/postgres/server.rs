//! One server in a temporary folder, for as long as the value lives.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::daemon::{Daemon, POLL, owner, run_as};
use crate::interrupts::Interrupts;
use crate::postgres::Programs;

const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Fast shutdown, then immediate.
const STOP: &[Signal] = &[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL];

/// A running server. Dropping it stops the server and removes its folder, in this order.
pub(crate) struct Server {
    daemon: Daemon,
    folder: TempDir,
    port: u16,
}

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
        let owner = owner(&["postgres"])?;
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
            let mut command = programs.command("postgres");
            command
                .arg("-D")
                .arg(folder.path().join("data"))
                .args(["-p", &port.to_string()])
                .args(["-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories="]);
            for setting in settings {
                command.args(["-c", setting]);
            }
            let daemon = Daemon::spawn("PostgreSQL", command, STOP, owner.as_ref(), folder.path())?;
            let mut server = Self {
                daemon,
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
            if let Some(status) = self.daemon.ended()? {
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
