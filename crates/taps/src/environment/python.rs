//! The Python that environments are made with.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;

use super::InstallError;
use super::process::{self, NotEnded, Variables};

/// A Python that does not answer within this is none.
const LIMIT: Duration = Duration::from_secs(60);

const QUESTION: &str = "\
import importlib.metadata, importlib.util, json, platform, sys
there = lambda name: importlib.util.find_spec(name) is not None
try:
    pip = importlib.metadata.version('pip')
except importlib.metadata.PackageNotFoundError:
    pip = None
print(json.dumps({'path': sys.executable, 'version': platform.python_version(), 'pip': pip,
                  'has_venv': there('venv'), 'has_ensurepip': there('ensurepip')}))";

/// An interpreter.
#[derive(Clone, Debug, Deserialize)]
pub struct Python {
    /// Where it is.
    pub path: PathBuf,
    /// For example `3.11.7`.
    pub version: String,
    /// Version of its pip.
    pub pip: Option<String>,
    pub has_venv: bool,
    pub has_ensurepip: bool,
}

impl Python {
    /// Whether its pip installs into other environments: pip learned that in version 22.3.
    pub(super) fn pip_reaches_out(&self) -> bool {
        let version = self.pip.as_deref().unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (parts.next().flatten(), parts.next().flatten());
        (major.unwrap_or(0), minor.unwrap_or(0)) >= (22, 3)
    }

    pub(super) async fn find(python: &Path, variables: &Variables) -> Result<Self, InstallError> {
        let unusable = |said: String| InstallError::PythonUnusable {
            python: python.to_owned(),
            said,
        };
        let mut command = variables.command(python);
        command.args(["-c", QUESTION]);
        let ended = match process::run(command, Stdio::null(), LIMIT).await {
            Ok(ended) if ended.success => ended,
            Ok(ended) => return Err(unusable(ended.said())),
            Err(NotEnded::TooSlow) => return Err(unusable("it does not answer".to_owned())),
            Err(NotEnded::Start(_)) => {
                return Err(InstallError::PythonMissing {
                    python: python.to_owned(),
                });
            }
        };
        serde_json::from_str(&ended.stdout).map_err(|error| unusable(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pips_stay_at_home() {
        let reaches_out = |pip: Option<&str>| {
            let python = Python {
                path: PathBuf::new(),
                version: "3.11.7".to_owned(),
                pip: pip.map(str::to_owned),
                has_venv: true,
                has_ensurepip: true,
            };
            python.pip_reaches_out()
        };
        for new in ["22.3", "22.10.1", "26.0.dev0"] {
            assert!(reaches_out(Some(new)), "{new}");
        }
        for old in [Some("22.2.2"), Some("9.0"), Some("?"), None] {
            assert!(!reaches_out(old), "{old:?}");
        }
    }
}
