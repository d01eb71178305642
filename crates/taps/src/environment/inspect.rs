//! What an environment holds: the tap's program, and whether it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;

use super::InstallError;
use super::process::{self, NotEnded, Variables};
use crate::Package;

/// Importing a tap with all its libraries takes seconds on a slow disk.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Imports a module as its console script would. A module that ends the program by itself is there, too.
const IMPORT: &str = "\
import importlib, sys
try:
    importlib.import_module(sys.argv[1])
except SystemExit:
    pass";

/// What `inspect.py` tells.
#[derive(Debug, Deserialize)]
pub(super) struct Inspection {
    /// `module:function` by name of the console script.
    scripts: BTreeMap<String, String>,
    pub(super) takes_properties: bool,
    uses_pkg_resources: bool,
    has_pkg_resources: bool,
    /// Version of Python.
    pub(super) python: String,
    /// Where that Python's own files are.
    pub(super) directories: Vec<PathBuf>,
}

impl Inspection {
    pub(super) async fn of(
        package: &Package,
        root: &Path,
        variables: &Variables,
    ) -> Result<Self, InstallError> {
        let arguments = [include_str!("inspect.py"), package.name()];
        let stdout =
            ask(root, variables, arguments)
                .await
                .map_err(|said| InstallError::NotInstalled {
                    package: package.clone(),
                    said,
                })?;
        serde_json::from_str(&stdout).map_err(|error| {
            InstallError::internal(format!("{package} was not understood: {error}"))
        })
    }

    /// Whether the module is wanted, and gone from today's setuptools or never there.
    pub(super) fn lacks_pkg_resources(&self) -> bool {
        self.uses_pkg_resources && !self.has_pkg_resources
    }

    /// The console script named like the package, else the only one.
    pub(super) fn script(&self, package: &Package) -> Result<String, InstallError> {
        let named = self.scripts.keys().find(|script| {
            script
                .replace('_', "-")
                .eq_ignore_ascii_case(package.name())
        });
        let mut names = self.scripts.keys();
        match (named, names.next(), names.next()) {
            (Some(named), ..) => Ok(named.clone()),
            (None, Some(only), None) => Ok(only.clone()),
            (None, None, _) => Err(InstallError::NoProgram {
                package: package.clone(),
            }),
            (None, Some(_), Some(_)) => Err(InstallError::SeveralPrograms {
                package: package.clone(),
                candidates: self.scripts.keys().cloned().collect(),
            }),
        }
    }

    /// Imports what the script would, so that a tap that cannot start is known before its first job.
    pub(super) async fn start(
        &self,
        package: &Package,
        root: &Path,
        variables: &Variables,
    ) -> Result<(), InstallError> {
        let script = self.script(package)?;
        let module = self.scripts[&script].split(':').next().unwrap_or_default();
        let started = ask(root, variables, [IMPORT, module.trim()]).await;
        started.map(drop).map_err(|said| {
            // Of a traceback, the last line says what is wrong.
            let last = said.lines().next_back().unwrap_or_default().to_owned();
            InstallError::DoesNotStart {
                package: package.clone(),
                python: self.python.clone(),
                said: last,
            }
        })
    }
}

/// Runs a script of ours with the environment's Python; the error is what it said.
async fn ask(
    root: &Path,
    variables: &Variables,
    [script, argument]: [&str; 2],
) -> Result<String, String> {
    let mut command = variables.command(root.join("bin/python"));
    command
        .args(["-I", "-c", script, argument])
        .current_dir(root);
    match process::run(command, Stdio::null(), LIMIT).await {
        Ok(ended) if ended.success => Ok(ended.stdout),
        Ok(ended) => Err(ended.said()),
        Err(NotEnded::TooSlow) => Err("it does not answer".to_owned()),
        Err(NotEnded::Start(error)) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(package: &str, scripts: &[&str]) -> Result<String, InstallError> {
        let inspection = Inspection {
            scripts: scripts
                .iter()
                .map(|name| ((*name).to_owned(), "tap:main".to_owned()))
                .collect(),
            takes_properties: false,
            uses_pkg_resources: false,
            has_pkg_resources: false,
            python: "3.13.0".to_owned(),
            directories: Vec::new(),
        };
        inspection.script(&Package::new(package, "1.0").unwrap())
    }

    #[test]
    fn the_program_is_named_like_the_package_or_is_the_only_one() {
        assert_eq!(script("tap-x", &["tap-other", "tap-x"]).unwrap(), "tap-x");
        assert_eq!(
            script("tap-x-y", &["helper", "tap_x_y"]).unwrap(),
            "tap_x_y"
        );
        assert_eq!(script("vendor-tap-x", &["tap-x"]).unwrap(), "tap-x");
    }

    #[test]
    fn several_programs_are_named_and_none_is_said() {
        let error = script("vendor-tap-x", &["b", "a"]).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");
        assert!(matches!(
            script("tap-x", &[]),
            Err(InstallError::NoProgram { .. })
        ));
    }
}
