//! Private PostgreSQL servers: find or install the programs, start a server in a folder of its own, stop it.

mod find;
mod install;
mod server;

use anyhow::Result;

pub(crate) use find::Programs;
pub(crate) use server::Server;

use crate::interrupts::Interrupts;

/// Finds the server's programs, installing them where that is possible.
pub(crate) fn programs(interrupts: &Interrupts) -> Result<Programs> {
    if let Some(programs) = Programs::find() {
        return Ok(programs);
    }
    install::install(interrupts)?;
    Programs::find().ok_or_else(|| {
        anyhow::anyhow!(
            "PostgreSQL was installed, but initdb and postgres are still nowhere to be found"
        )
    })
}
