//! The programs that the guides of the API are pasted with: curl and jq, found or installed.

use std::path::Path;

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;

const PROGRAMS: [&str; 2] = ["curl", "jq"];

const INSTALL: &str = "\
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends curl jq </dev/null; }
install || { apt-get -qq update && install; }";

const ADVICE: &str = "\
the tests of the guides need curl and jq
  Debian, Ubuntu:  apt-get install curl jq
  Fedora, RHEL:    dnf install curl jq
  Alpine:          apk add curl jq
  macOS:           brew install curl jq";

/// Makes sure that the programs are in `PATH`.
pub(crate) fn provide(interrupts: &Interrupts) -> Result<()> {
    if missing().is_empty() {
        return Ok(());
    }
    let Some(mut command) = packages::as_root(INSTALL) else {
        bail!(ADVICE)
    };
    eprintln!(
        "{} missing: installing with apt-get",
        missing().join(" and ")
    );
    let status = interrupts.run(&mut command)?;
    if !status.success() || !missing().is_empty() {
        bail!("the installation failed ({status}); {ADVICE}");
    }
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |folder: &Path, program: &str| folder.join(program).is_file();
    PROGRAMS
        .into_iter()
        .filter(|program| !std::env::split_paths(&path).any(|folder| is_there(&folder, program)))
        .collect()
}
