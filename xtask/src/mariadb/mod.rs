//! Private MariaDB servers: find or install the programs, start a server in a folder of its own, stop it.

mod find;
mod server;

use std::process::Command;

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;
use find::Programs;
pub(crate) use server::Server;

/// A server with settings of its own. `selvedge-testkit` reads the variables that name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes what it is given: where tests create their databases.
    Open,
    /// Takes nothing over a connection that is not encrypted, and no rows by `LOAD DATA LOCAL INFILE` until told otherwise.
    Strict,
}

impl Kind {
    /// Names the server.
    fn variable(self) -> &'static str {
        match self {
            Self::Open => "SELVEDGE_TEST_MYSQL_URL",
            Self::Strict => "SELVEDGE_TEST_MYSQL_STRICT_URL",
        }
    }
}

const INSTALL: &str = include_str!("install.sh");

const ADVICE: &str = "\
the tests need a MariaDB server, and its programs (mariadbd, mariadb-install-db) were not found
Install them, without starting a service:
  Debian, Ubuntu:  apt-get install --no-install-recommends mariadb-server
  Fedora, RHEL:    dnf install mariadb-server
  Alpine:          apk add mariadb
  macOS:           brew install mariadb
or name a server that the tests may create databases and users on:
  export SELVEDGE_TEST_MYSQL_URL=mysql://USER:PASSWORD@HOST:PORT";

/// Tells `command` of servers: those that are given, and those that are started and live as long as the answer.
pub(crate) fn provide(
    command: &mut Command,
    kinds: &[Kind],
    interrupts: &Interrupts,
) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for kind in kinds {
        let variable = kind.variable();
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            eprintln!("MariaDB: the server that {variable} names");
            continue;
        }
        let programs = programs(interrupts)?;
        let server = Server::start(&programs, *kind, interrupts)?;
        eprintln!(
            "MariaDB: 127.0.0.1:{} ({})",
            server.port(),
            programs.server.display()
        );
        command.env(variable, server.url());
        servers.push(server);
    }
    Ok(servers)
}

/// Finds the server's programs, installing them where that is possible.
fn programs(interrupts: &Interrupts) -> Result<Programs> {
    if let Some(programs) = Programs::find() {
        return Ok(programs);
    }
    let Some(mut install) = packages::as_root(INSTALL) else {
        bail!(ADVICE);
    };
    eprintln!("MariaDB's server programs are missing: installing them with apt-get");
    let status = interrupts.run(&mut install)?;
    if !status.success() {
        bail!("the installation failed ({status}); {ADVICE}");
    }
    Programs::find().ok_or_else(|| {
        anyhow::anyhow!("MariaDB was installed, but mariadbd is still nowhere to be found")
    })
}
