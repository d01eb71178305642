//! What makes environments: `uv` where it is there, else the modules `venv` and pip of Python.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::hold::Hold;
use super::process::{self, NotEnded, Variables};
use super::{InstallError, Python};
use crate::Package;

/// Time that installing one package may take: some are compiled.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The last setuptools with the module `pkg_resources`, which older taps and many of their build scripts import.
pub(super) const SETUPTOOLS: &str = "setuptools<81";

/// Holds [`SETUPTOOLS`] for builds.
const CONSTRAINTS: &str = "constraints.txt";

/// A Python, with what installs packages for it.
#[derive(Clone, Debug)]
pub struct Installer {
    python: Python,
    program: Program,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Uv,
    /// The pip that Python has: an environment needs none of its own, which would take longer to make than most taps.
    Pip,
    /// A pip in the environment.
    OwnPip,
}

/// An installation that is ready to run.
pub(super) struct Installation<'a> {
    package: &'a Package,
    root: &'a Path,
    installer: &'a Installer,
    requirements: PathBuf,
    locked: bool,
}

/// The version of uv, if it is there.
pub(super) async fn uv(variables: &Variables) -> Option<String> {
    let mut command = variables.command("uv");
    command.arg("--version");
    let ended = process::run(command, Stdio::null(), LIMIT).await.ok()?;
    let words: Vec<&str> = ended.stdout.split_whitespace().take(2).collect();
    (ended.success && words.first() == Some(&"uv")).then(|| words.join(" "))
}

impl Installer {
    pub(super) fn new(python: Python, uv: Option<String>) -> Result<Self, InstallError> {
        let pip = format!("pip {}", python.pip.as_deref().unwrap_or("of Python"));
        let (program, name) = match uv {
            Some(uv) => (Program::Uv, uv),
            None if python.has_venv && python.pip_reaches_out() => (Program::Pip, pip),
            None if python.has_venv && python.has_ensurepip => (Program::OwnPip, pip),
            None => {
                return Err(InstallError::NoVenv {
                    python: python.path,
                    version: python.version,
                });
            }
        };
        Ok(Self {
            python,
            program,
            name,
        })
    }

    pub fn python(&self) -> &Python {
        &self.python
    }

    /// The program and its version, for example `pip 25.1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An empty environment.
    pub(super) async fn make(
        &self,
        root: &Path,
        variables: &Variables,
        hold: &Hold,
    ) -> Result<(), InstallError> {
        let mut command: Command;
        if self.program == Program::Uv {
            command = variables.command("uv");
            command
                .args(["venv", "--quiet", "--no-project", "--no-python-downloads"])
                .arg("--python")
                .arg(&self.python.path);
        } else {
            command = variables.command(&self.python.path);
            command.args(["-m", "venv"]);
            if self.program == Program::Pip {
                command.arg("--without-pip");
            }
        }
        command.arg(root);
        let failed = |said| InstallError::NoEnvironment { said };
        match process::run(command, hold.stdin()?, LIMIT).await {
            Ok(ended) if ended.success => Ok(()),
            Ok(ended) => Err(failed(ended.said())),
            Err(NotEnded::TooSlow) => Err(failed("it took too long".to_owned())),
            Err(NotEnded::Start(error)) => Err(failed(error.to_string())),
        }
    }

    /// What a file of requirements names. With `locked`, the file names everything with its hashes, and nothing else comes in.
    pub(super) fn install<'a>(
        &'a self,
        package: &'a Package,
        root: &'a Path,
        requirements: &Path,
        locked: bool,
    ) -> Installation<'a> {
        Installation {
            package,
            root,
            installer: self,
            requirements: requirements.to_owned(),
            locked,
        }
    }
}

impl Installation<'_> {
    pub(super) async fn run(self, variables: &Variables, hold: &Hold) -> Result<(), InstallError> {
        let constraints = self.root.join(CONSTRAINTS);
        super::write(&constraints, &format!("{SETUPTOOLS}\n"))?;
        let mut command = self.command(variables, &constraints);
        command.arg("--quiet");
        if self.locked {
            command.args(["--require-hashes", "--no-deps"]);
        }
        command
            .arg("--requirement")
            .arg(&self.requirements)
            .current_dir(self.root);
        let package = self.package;
        match process::run(command, hold.stdin()?, LIMIT).await {
            Ok(ended) if ended.success => Ok(()),
            Ok(ended) => Err(InstallError::of_installer(package, ended.said())),
            Err(NotEnded::TooSlow) => Err(InstallError::TooSlow {
                package: package.clone(),
                limit: LIMIT,
            }),
            Err(NotEnded::Start(error)) => Err(InstallError::NotInstalled {
                package: package.clone(),
                said: error.to_string(),
            }),
        }
    }

    /// The installer, up to its options.
    fn command(&self, variables: &Variables, constraints: &Path) -> Command {
        let python = self.root.join("bin/python");
        let mut command;
        match self.installer.program {
            Program::Uv => {
                command = variables.command("uv");
                command
                    .args(["pip", "install", "--python"])
                    .arg(python)
                    .arg("--build-constraints")
                    .arg(constraints);
                return command;
            }
            Program::Pip => {
                command = variables.command(&self.installer.python.path);
                command.args(["-m", "pip", "--python"]).arg(python);
            }
            Program::OwnPip => {
                command = variables.command(python);
                command.args(["-m", "pip"]);
            }
        }
        // Pips before 25.3 know only the first of the two, which holds for what is installed too.
        let mut all = variables
            .get("PIP_CONSTRAINT")
            .unwrap_or_default()
            .to_owned();
        all.push(" ");
        all.push(constraints);
        command
            .args(["install", "--no-input", "--disable-pip-version-check"])
            .env("PIP_CONSTRAINT", all)
            .env("PIP_BUILD_CONSTRAINT", constraints);
        command
    }
}
