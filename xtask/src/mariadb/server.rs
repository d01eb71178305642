//! One server in a temporary folder, for as long as the value lives.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::User;
use tempfile::TempDir;

use super::{Kind, Programs};
use crate::daemon::{Daemon, POLL, owner, run_as};
use crate::interrupts::Interrupts;
use crate::workspace;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP: &[Signal] = &[Signal::SIGTERM, Signal::SIGKILL];

/// A user with every right: connections are configured with a password, and root has none.
const USER: &str = "selvedge";
const PASSWORD: &str = "selvedge";

/// A running server. Dropping it stops the server and removes its folder, in this order.
pub(crate) struct Server {
    daemon: Daemon,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts a server on a free port of the loopback interface and waits until it accepts connections. Nothing in it has to
    /// survive the machine.
    pub(crate) fn start(programs: &Programs, kind: Kind, interrupts: &Interrupts) -> Result<Self> {
        let mut folder = tempfile::Builder::new()
            .prefix("selvedge-mariadb-")
            .tempdir()
            .context("no temporary folder")?;
        let owner = owner(&["mysql"])?;
        if let Some(owner) = &owner {
            let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
            chown(folder.path(), Some(user), Some(group))?;
        }
        let data = format!("--datadir={}", folder.path().join("data").display());
        let mut install_db = Command::new(&programs.install_db);
        install_db.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
        install_db.args(["--auth-root-authentication-method=normal", &data]);
        run_as(&mut install_db, owner.as_ref(), folder.path());
        interrupts
            .output(&mut install_db)
            .context("no data directory for MariaDB")?;
        let first_statements = folder.path().join("init.sql");
        std::fs::write(
            &first_statements,
            format!(
                "create user if not exists '{USER}'@'%' identified by '{PASSWORD}';\n\
                 grant all on *.* to '{USER}'@'%' with grant option;\n"
            ),
        )?;

        let settings = match kind {
            Kind::Open => vec!["--local-infile=1".to_owned()],
            Kind::Strict => strict(folder.path(), owner.as_ref())?,
        };
        // Between choosing a free port and binding it somebody else may take it.
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let mut command = Command::new(&programs.server);
            command
                .args(["--no-defaults", &data])
                .arg(format!("--init-file={}", first_statements.display()))
                .arg(format!("--socket={}", folder.path().join("s").display()))
                .args(["--bind-address=127.0.0.1", &format!("--port={port}")])
                .arg("--skip-name-resolve")
                .args(&settings)
                .args([
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-doublewrite=0",
                ])
                .arg("--max-connections=300");
            let daemon = Daemon::spawn("MariaDB", command, STOP, owner.as_ref(), folder.path())?;
            let mut server = Self {
                daemon,
                folder,
                port,
            };
            match server.wait_until_ready(interrupts)? {
                None => return Ok(server),
                Some(status) if server.log().contains("Bind on TCP/IP port") => {
                    eprintln!("port {port} was taken meanwhile ({status}); trying another");
                    folder = server.folder;
                }
                Some(status) => bail!("MariaDB ended at once ({status}):\n{}", server.log()),
            }
        }
        bail!("MariaDB found no free port")
    }

    pub(crate) fn url(&self) -> String {
        format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `None` when the server accepts connections, its status when it has ended.
    fn wait_until_ready(&mut self, interrupts: &Interrupts) -> Result<Option<ExitStatus>> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.daemon.ended()? {
                return Ok(Some(status));
            }
            if self.log().contains("ready for connections") {
                return Ok(None);
            }
            ensure!(
                started.elapsed() < START_TIMEOUT,
                "MariaDB is not ready after {START_TIMEOUT:?}:\n{}",
                self.log()
            );
            interrupts.pause(POLL)?;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// The settings of [`Kind::Strict`]. The server reads copies of the certificates: it may be another user, who may not look
/// into our folders.
fn strict(folder: &Path, owner: Option<&User>) -> Result<Vec<String>> {
    let certificates = workspace::root().join("crates/postgres/tests/it/certificates");
    let mut settings = vec![
        "--local-infile=0".to_owned(),
        "--require-secure-transport=ON".to_owned(),
    ];
    for (option, name) in [("ssl-cert", "server.pem"), ("ssl-key", "server.key")] {
        let copy = folder.join(name);
        std::fs::copy(certificates.join(name), &copy)
            .with_context(|| format!("the certificate {name} cannot be copied"))?;
        if let Some(owner) = owner {
            chown(&copy, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        }
        settings.push(format!("--{option}={}", copy.display()));
    }
    Ok(settings)
}
