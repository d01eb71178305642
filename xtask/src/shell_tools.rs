//! Small programs that tests and benchmarks call, found or installed.

use std::path::Path;

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;

/// Programs whose packages have their names.
pub(crate) struct Tools {
    programs: &'static [&'static str],
    /// Who needs them.
    purpose: &'static str,
}

/// What the guides of the API are pasted with.
pub(crate) const GUIDES: Tools = Tools {
    programs: &["curl", "jq"],
    purpose: "the tests of the guides need",
};

/// What loading into SQLite is held against.
pub(crate) const SQLITE_SHELL: Tools = Tools {
    programs: &["sqlite3"],
    purpose: "the benchmark of loading needs",
};

impl Tools {
    /// Makes sure that the programs are in `PATH`.
    pub(crate) fn provide(&self, interrupts: &Interrupts) -> Result<()> {
        if self.missing().is_empty() {
            return Ok(());
        }
        let packages = self.programs.join(" ");
        let advice = format!(
            "{} {}\n  Debian, Ubuntu:  apt-get install {packages}\n  Elsewhere the packages have these names, or that of \
             the program without its number.",
            self.purpose,
            self.programs.join(" and ")
        );
        let install = format!(
            "export DEBIAN_FRONTEND=noninteractive
             install() {{ apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends {packages} </dev/null; }}
             install || {{ apt-get -qq update && install; }}"
        );
        let Some(mut command) = packages::as_root(&install) else {
            bail!(advice)
        };
        eprintln!(
            "{} missing: installing with apt-get",
            self.missing().join(" and ")
        );
        let status = interrupts.run(&mut command)?;
        if !status.success() || !self.missing().is_empty() {
            bail!("the installation failed ({status}); {advice}");
        }
        Ok(())
    }

    fn missing(&self) -> Vec<&'static str> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |folder: &Path, program: &str| folder.join(program).is_file();
        let found =
            |program: &str| std::env::split_paths(&path).any(|folder| is_there(&folder, program));
        self.programs
            .iter()
            .copied()
            .filter(|program| !found(program))
            .collect()
    }
}
