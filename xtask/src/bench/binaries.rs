//! The server and the load program that a benchmark runs.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use crate::interrupts::Interrupts;
use crate::workspace;

#[derive(Args)]
pub(crate) struct BinaryArguments {
    /// This `selvedge` instead of a release build made now.
    #[arg(long, requires = "load")]
    binary: Option<PathBuf>,
    /// This `selvedge-load`.
    #[arg(long, requires = "binary")]
    load: Option<PathBuf>,
}

pub(crate) struct Binaries {
    pub(crate) selvedge: PathBuf,
    pub(crate) load: PathBuf,
}

impl BinaryArguments {
    /// Those that are named, or release builds made now.
    pub(crate) fn find(&self, interrupts: &Interrupts) -> Result<Binaries> {
        if let (Some(selvedge), Some(load)) = (&self.binary, &self.load) {
            let absolute = |path: &Path| std::path::absolute(path);
            return Ok(Binaries {
                selvedge: absolute(selvedge)?,
                load: absolute(load)?,
            });
        }
        let mut build = workspace::cargo();
        build.args(["build", "--release", "--package", "selvedge"]);
        build.args(["--package", "selvedge-load"]);
        workspace::announce(&build);
        ensure!(interrupts.run(&mut build)?.success(), "the build failed");
        Ok(Binaries {
            selvedge: workspace::release_binary("selvedge"),
            load: workspace::release_binary("selvedge-load"),
        })
    }
}
