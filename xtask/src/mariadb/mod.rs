//! Private MariaDB servers: find or install the programs, start a server in a folder of its own, stop it.

mod find;
mod server;

use std::process::Command;

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;
use find::Programs;
pub(crate) use server::Server;

/// Names the server that tests create their databases on; `selvedge-testkit` reads it.
const SERVER_VARIABLE: &str = "SELVEDGE_TEST_MYSQL_URL";

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

/// Tells `command` of a server: one that is given, or one that is started and lives as long as the answer.
pub(crate) fn provide(command: &mut Command, interrupts: &Interrupts) -> Result<Option<Server>> {
    if std::env::var_os(SERVER_VARIABLE).is_some_and(|value| !value.is_empty()) {
        eprintln!("MariaDB: the server that {SERVER_VARIABLE} names");
        return Ok(None);
    }
    let programs = programs(interrupts)?;
    let server = Server::start(&programs, interrupts)?;
    eprintln!(
        "MariaDB: 127.0.0.1:{} ({})",
        server.port(),
        programs.server.display()
    );
    command.env(SERVER_VARIABLE, server.url());
    Ok(Some(server))
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
