//! Installing the server package, where we may.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;

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
    let mut command = match installer() {
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

fn installer() -> Option<Command> {
    if !answers(Command::new("apt-get").arg("--version")) {
        return None;
    }
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new("sh")
    } else if answers(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", "sh"]);
        command
    } else {
        return None;
    };
    command.args(["-c", SCRIPT]);
    Some(command)
}

/// Whether the program is there and content.
fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
