//! Installing the server package, where we may.

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;

const SCRIPT: &str = include_str!("install.sh");

const ADVICE: &str = "\
the tests need a PostgreSQL server, and its programs (initdb, postgres) were not found
Install them, without starting a service:
  Debian, Ubuntu:  apt-get install --no-install-recommends postgresql
  Fedora, RHEL:    dnf install postgresql-server
  Alpine:          apk add postgresql
  macOS:           brew install postgresql
or name a server that the tests may create databases on:
  export SELVEDGE_TEST_POSTGRES_URL=postgres://USER:PASSWORD@HOST:PORT/postgres";

/// Installs the newest server package that apt offers. Fails with what to do by hand where there is no apt, or neither
/// root nor a sudo that asks for no password.
pub(super) fn install(interrupts: &Interrupts) -> Result<()> {
    let mut command = match packages::installer(SCRIPT) {
        Some(command) => command,
        None => bail!(ADVICE),
    };
    eprintln!("PostgreSQL's server programs are missing: installing them with apt-get");
    let status = interrupts.run(&mut command)?;
    if !status.success() {
        bail!("the installation failed ({status}); {ADVICE}");
    }
    Ok(())
}
