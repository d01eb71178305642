//! An environment that is there: what it is made of, and the program in it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use selvedge_singer::TapProgram;
use serde::{Deserialize, Serialize};

use super::InstallError;
use crate::{Lock, Package};

/// Written last.
const MARKER: &str = "selvedge.json";
/// What was installed, as installers read it.
pub(super) const REQUIREMENTS: &str = "requirements.txt";

/// The marker's content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Made {
    #[serde(flatten)]
    pub(super) package: Package,
    /// Name of the console script.
    pub(super) script: String,
    pub(super) takes_properties: bool,
    /// Version of Python.
    pub(super) python: String,
    /// Where the files of that Python are.
    pub(super) python_directories: Vec<PathBuf>,
    /// What installed it.
    pub(super) installer: String,
}

/// A package, ready to run.
#[derive(Clone, Debug)]
pub struct Environment {
    root: PathBuf,
    made: Made,
}

impl Environment {
    pub(super) fn read(root: &Path) -> Result<Option<Self>, InstallError> {
        let path = root.join(MARKER);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| InstallError::io("read", &path, source))?,
        };
        let made = serde_json::from_str(&text)
            .map_err(|error| InstallError::io("read", &path, error.into()))?;
        Ok(Some(Self {
            root: root.to_owned(),
            made,
        }))
    }

    pub(super) fn write(root: &Path, made: Made) -> Result<Self, InstallError> {
        let path = root.join(MARKER);
        let failed = |source| InstallError::io("written", &path, source);
        let text = serde_json::to_string_pretty(&made).map_err(|error| failed(error.into()))?;
        let unfinished = root.join(".selvedge.json");
        let mut file = File::create(&unfinished).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&unfinished, &path).map_err(failed)?;
        Ok(Self {
            root: root.to_owned(),
            made,
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Version of its Python.
    pub fn python(&self) -> &str {
        &self.made.python
    }

    /// What installed it, for example `pip`.
    pub fn installer(&self) -> &str {
        &self.made.installer
    }

    /// Whether it is made of what it would be made of today: a lock may have been added or changed since.
    pub fn is_current(&self) -> bool {
        let requirements = fs::read_to_string(self.root.join(REQUIREMENTS)).unwrap_or_default();
        Lock::of(&self.made.package).is_none_or(|lock| lock.text() == requirements)
    }

    /// The tap's program. Python is named rather than the script's first line followed, which knows only the place where the
    /// environment was made.
    pub fn program(&self) -> TapProgram {
        let script = self.root.join("bin").join(&self.made.script);
        let directories = [self.root.clone()]
            .into_iter()
            .chain(self.made.python_directories.iter().cloned());
        TapProgram {
            program: self.root.join("bin/python"),
            arguments: vec![script.to_string_lossy().into_owned()],
            directories: directories.collect(),
            takes_properties: self.made.takes_properties,
        }
    }
}
