//! SQL by `psql`: no driver to build, and the same client that the pipes use.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::interrupts::Interrupts;
use crate::postgres::Programs;

/// One database, reached by psql.
#[derive(Clone, Copy)]
pub(crate) struct Psql<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) interrupts: &'a Interrupts,
    pub(crate) url: &'a str,
}

impl Psql<'_> {
    /// Runs statements and returns what they print: a line per row, fields parted by `|`, no headings.
    pub(crate) fn query(&self, statements: &str) -> Result<String> {
        let mut command = command(self.programs);
        command.args(["--tuples-only", "--no-align", "--dbname", self.url]);
        command.args(["--command", statements]);
        self.interrupts
            .output(&mut command)
            .with_context(|| format!("statement: {statements}"))
    }

    /// One row, one field.
    pub(crate) fn value(&self, statement: &str) -> Result<String> {
        Ok(self.query(statement)?.trim().to_owned())
    }
}

/// psql without anybody's settings, in UTC, failing at the first error.
pub(crate) fn command(programs: &Programs) -> Command {
    let mut command = programs.command("psql");
    command
        .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"])
        .env(
            "PGOPTIONS",
            "-c timezone=UTC -c client_min_messages=warning",
        );
    command
}
