//! Why there is no environment, in words for operators.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Package;

/// Why a tap could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error(
        "there is no Python {python:?}: install Python 3 with its module venv, or name another interpreter in taps.python"
    )]
    PythonMissing { python: PathBuf },
    #[error("{python:?} does not run as a Python 3 interpreter: {said}")]
    PythonUnusable { python: PathBuf, said: String },
    #[error(
        "Python {version} at {python:?} makes no environments: install its modules venv and ensurepip (Debian: python3-venv), or uv"
    )]
    NoVenv { python: PathBuf, version: String },
    #[error("no virtual environment could be made: {said}")]
    NoEnvironment { said: String },
    #[error("the package index cannot be reached: {said}")]
    RegistryUnreachable { said: String },
    #[error("the package index has no {package} for this Python: {said}")]
    NoSuchPackage { package: Package, said: String },
    #[error("the files of {package} are not those of its lock: {said}")]
    OtherFiles { package: Package, said: String },
    #[error("{package} could not be installed: {said}")]
    NotInstalled { package: Package, said: String },
    #[error(
        "{package} was not installed within {} minutes",
        .limit.as_secs().div_ceil(60)
    )]
    TooSlow { package: Package, limit: Duration },
    #[error("{package} has no program to run")]
    NoProgram { package: Package },
    #[error(
        "{package} has several programs and none of its own name: {}; name the right one in [taps.commands]",
        .candidates.join(", ")
    )]
    SeveralPrograms {
        package: Package,
        candidates: Vec<String>,
    },
    #[error(
        "{package} does not start with Python {python}: {said}; taps.python names another version"
    )]
    DoesNotStart {
        package: Package,
        python: String,
        said: String,
    },
    #[error("{path} could not be {doing}: {source}", path = .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{0}")]
    Internal(String),
}

impl InstallError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// What an installer meant. Installers have one exit status for everything.
    pub(super) fn of_installer(package: &Package, said: String) -> Self {
        const UNREACHABLE: [&str; 9] = [
            "NewConnectionError",
            "ConnectTimeoutError",
            "Failed to establish a new connection",
            "Temporary failure in name resolution",
            "Max retries exceeded",
            "ProxyError",
            "Failed to fetch",
            "error sending request",
            "Network connectivity is disabled",
        ];
        const NO_SUCH_PACKAGE: [&str; 5] = [
            "No matching distribution found",
            "Could not find a version that satisfies",
            "was not found in the package registry",
            "was not found in the provided package locations",
            "there is no version of",
        ];
        const OTHER_FILES: [&str; 3] = [
            "DO NOT MATCH THE HASHES",
            "Hash mismatch",
            "In --require-hashes mode",
        ];
        let package = package.clone();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&OTHER_FILES) {
            Self::OtherFiles { package, said }
        } else if says(&UNREACHABLE) {
            Self::RegistryUnreachable { said }
        } else if says(&NO_SUCH_PACKAGE) {
            Self::NoSuchPackage { package, said }
        } else {
            Self::NotInstalled { package, said }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(said: &str) -> InstallError {
        InstallError::of_installer(&Package::new("tap-x", "1.0").unwrap(), said.to_owned())
    }

    #[test]
    fn a_network_that_is_down_is_no_missing_package() {
        let pip = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(…)'\n\
                   ERROR: No matching distribution found for tap-x==1.0";
        assert!(matches!(
            meaning(pip),
            InstallError::RegistryUnreachable { .. }
        ));
        let uv = "error: Failed to fetch: `https://index.example/simple/tap-x/`";
        assert!(matches!(
            meaning(uv),
            InstallError::RegistryUnreachable { .. }
        ));
    }

    #[test]
    fn both_installers_say_that_a_package_is_missing() {
        for said in [
            "ERROR: No matching distribution found for tap-x==1.0",
            "  × No solution found when resolving dependencies:\n  ╰─▶ Because tap-x was not found in the package registry",
            "  ╰─▶ Because there is no version of tap-x==1.0 and you require tap-x==1.0",
        ] {
            assert!(
                matches!(meaning(said), InstallError::NoSuchPackage { .. }),
                "{said}"
            );
        }
    }

    #[test]
    fn replaced_files_and_failed_builds_are_told_apart() {
        assert!(matches!(
            meaning("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
            InstallError::OtherFiles { .. }
        ));
        assert!(matches!(
            meaning("error: subprocess-exited-with-error"),
            InstallError::NotInstalled { .. }
        ));
    }
}
