//! The browser that tests look at pages with: Chromium and its driver, found or installed.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::interrupts::Interrupts;
use crate::packages;

/// Tell the tests where the programs are.
pub(crate) const BROWSER_VARIABLE: &str = "SELVEDGE_TEST_CHROMIUM";
pub(crate) const DRIVER_VARIABLE: &str = "SELVEDGE_TEST_CHROMEDRIVER";

const BROWSER_NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const DRIVER_NAMES: [&str; 2] = ["chromedriver", "chromium.chromedriver"];

/// Stale package lists name files that are gone from the mirrors.
const SCRIPT: &str = "\
set -eu
export DEBIAN_FRONTEND=noninteractive
install() {
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium chromium-driver </dev/null
}
install || { apt-get -qq update && install; }
";

const ADVICE: &str = "\
the tests of pages need Chromium and its driver, and they were not found
Install them:
  Debian:          apt-get install --no-install-recommends chromium chromium-driver
  Ubuntu:          snap install chromium
  Fedora:          dnf install chromium chromedriver
  Alpine:          apk add chromium chromium-chromedriver
  macOS:           brew install --cask chromium chromedriver
or name the programs, of the same version:
  export SELVEDGE_TEST_CHROMIUM=/path/to/chromium SELVEDGE_TEST_CHROMEDRIVER=/path/to/chromedriver";

/// The programs of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Finds the programs, installing them where that is possible.
pub(crate) fn programs(interrupts: &Interrupts) -> Result<Programs> {
    if let Some(programs) = find() {
        return Ok(programs);
    }
    let Some(mut command) = packages::as_root(SCRIPT) else {
        bail!(ADVICE)
    };
    eprintln!("Chromium or its driver is missing: installing them with apt-get");
    let status = interrupts.run(&mut command)?;
    if !status.success() {
        bail!("the installation failed ({status}); {ADVICE}");
    }
    match find() {
        Some(programs) => Ok(programs),
        None => bail!("Chromium was installed, but it or its driver is still nowhere to be found"),
    }
}

/// What the variables name, else what is in `PATH`.
fn find() -> Option<Programs> {
    let program = |variable, names: &[&str]| {
        std::env::var_os(variable)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| in_path(names))
    };
    Some(Programs {
        browser: program(BROWSER_VARIABLE, &BROWSER_NAMES)?,
        driver: program(DRIVER_VARIABLE, &DRIVER_NAMES)?,
    })
}

fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}
