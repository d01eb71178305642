//! An S3 server for the tests of destinations that are buckets: moto, an emulator, in an environment of its own with
//! exactly the packages that `crates/dest-lake/tests/s3/requirements.txt` names.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::daemon::{Daemon, POLL};
use crate::interrupts::Interrupts;
use crate::python::Environment;

/// Names the server that tests make their buckets on.
pub(crate) const VARIABLE: &str = "SELVEDGE_TEST_S3_URL";

const ENVIRONMENT: Environment = Environment {
    folder: "target/python-s3",
    requirements: "crates/dest-lake/tests/s3/requirements.txt",
};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops the server and removes its folder, in this order.
pub(crate) struct Server {
    daemon: Daemon,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts a server on a free port of the loopback interface and waits until it answers. It keeps its buckets in memory.
    pub(crate) fn start(interrupts: &Interrupts) -> Result<Self> {
        let python = ENVIRONMENT.interpreter(interrupts)?;
        let folder = tempfile::Builder::new()
            .prefix("selvedge-s3-")
            .tempdir()
            .context("no temporary folder")?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new(python);
        command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p"])
            .arg(port.to_string());
        let signals = &[Signal::SIGTERM, Signal::SIGKILL];
        let daemon = Daemon::spawn("S3", command, signals, None, folder.path())?;
        let mut server = Self {
            daemon,
            folder,
            port,
        };
        server.wait_until_ready(interrupts)?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self, interrupts: &Interrupts) -> Result<()> {
        let started = Instant::now();
        while !self.answers() {
            let log = self.folder.path().join("log");
            let log = || std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(status) = self.daemon.ended()? {
                bail!("moto ended at once ({status}):\n{}", log());
            }
            ensure!(
                started.elapsed() < START_TIMEOUT,
                "moto is not ready after {START_TIMEOUT:?}:\n{}",
                log()
            );
            interrupts.pause(POLL)?;
        }
        Ok(())
    }

    /// Whether it answers HTTP, which comes after accepting connections.
    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<usize> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
            stream.read(&mut [0; 16])
        };
        ask().is_ok_and(|read| read > 0)
    }
}
