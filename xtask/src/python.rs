//! Python for tests: environments with exactly the packages that a file of requirements names.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::interrupts::Interrupts;
use crate::packages;
use crate::workspace;

/// Name the interpreters; the tests of `selvedge` read them.
pub(crate) const VARIABLE: &str = "SELVEDGE_TEST_PYTHON";
pub(crate) const PUSHERS_VARIABLE: &str = "SELVEDGE_TEST_PUSHERS";

/// Packages in a folder of their own.
pub(crate) struct Environment {
    /// Below the workspace.
    pub(crate) folder: &'static str,
    /// The packages with their hashes, below the workspace.
    pub(crate) requirements: &'static str,
}

/// For the tests that drive the server with public tools.
pub(crate) const CLIENTS: Environment = Environment {
    folder: "target/python",
    requirements: "crates/selvedge/tests/python/requirements.txt",
};

/// For the tests in which public tools push to the server; what they are pinned to does not go together with the others.
pub(crate) const PUSHERS: Environment = Environment {
    folder: "target/python-pushers",
    requirements: "crates/selvedge/tests/python/pushers.txt",
};

/// Fails for an interpreter that is too old, and for a Debian Python without the package that environments need.
const USABLE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

const INSTALL: &str = "\
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends python3 python3-venv </dev/null; }
install || { apt-get -qq update && install; }";

const ADVICE: &str = "\
the tests need Python 3.11 or newer with its module venv
  Debian, Ubuntu:  apt-get install python3 python3-venv
  Fedora, RHEL:    dnf install python3
  Alpine:          apk add python3
  macOS:           brew install python
or name an interpreter that has the packages of crates/selvedge/tests/python/requirements.txt:
  export SELVEDGE_TEST_PYTHON=/path/to/python";

impl Environment {
    /// The environment's interpreter. It is made when it is missing or its packages have changed.
    pub(crate) fn interpreter(&self, interrupts: &Interrupts) -> Result<PathBuf> {
        let root = workspace::root();
        let folder = root.join(self.folder);
        let python = folder.join("bin/python");
        let requirements = root.join(self.requirements);
        let wanted = std::fs::read_to_string(&requirements).context(self.requirements)?;
        // Written last: an environment without it was interrupted in the making.
        let stamp = folder.join("requirements.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && usable(&python) {
            return Ok(python);
        }
        let base = base(interrupts)?;
        eprintln!(
            "Python: installing the packages of {} into {}",
            self.requirements, self.folder
        );
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let mut make = Command::new(base);
        make.args(["-m", "venv"]).arg(&folder);
        let made = interrupts.run(&mut make)?;
        ensure!(made.success(), "no environment was made ({made}); {ADVICE}");
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet", "--no-compile"])
            .args([
                "--disable-pip-version-check",
                "--require-hashes",
                // The file names everything.
                "--no-deps",
                "--requirement",
            ])
            .arg(&requirements);
        let installed = interrupts.run(&mut install)?;
        ensure!(
            installed.success(),
            "pip could not install the packages of {} ({installed}); it needs a package index (pip config)",
            self.requirements
        );
        std::fs::write(&stamp, wanted)?;
        Ok(python)
    }
}

/// An interpreter to make environments with; installed if there is none and we may.
pub(crate) fn base(interrupts: &Interrupts) -> Result<&'static Path> {
    let candidates = [
        "python3",
        "/usr/bin/python3",
        "python3.13",
        "python3.12",
        "python3.11",
    ]
    .map(Path::new);
    let find = || candidates.into_iter().find(|python| usable(python));
    if let Some(python) = find() {
        return Ok(python);
    }
    if let Some(mut command) = packages::as_root(INSTALL) {
        eprintln!("Python with venv is missing: installing it with apt-get");
        interrupts.run(&mut command)?;
    }
    find().context(ADVICE)
}

fn usable(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", USABLE])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
