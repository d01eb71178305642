//! Environments: each package in a virtual environment of its own, made once and found again.
//!
//! An environment counts from the moment its marker is there, which is written last: what an interruption leaves behind is no
//! environment, and the next installation clears it away.

mod error;
mod hold;
mod inspect;
mod installer;
mod marker;
mod process;
mod python;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use error::InstallError;
pub use installer::Installer;
pub use marker::Environment;
pub use python::Python;

use crate::{Lock, Package};
use hold::Hold;
use inspect::Inspection;
use marker::{Made, REQUIREMENTS};
use process::Variables;

/// The directory of all environments, and what makes them.
#[derive(Clone, Debug)]
pub struct Environments {
    directory: PathBuf,
    python: PathBuf,
    variables: Variables,
}

impl Environments {
    /// Environments below `directory`, which is made when it is needed. `python` is a name to look for in `PATH` or a path;
    /// `variables` are all that installers get of the surroundings.
    pub fn new(
        directory: PathBuf,
        python: PathBuf,
        variables: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Self {
        Self {
            directory,
            python,
            variables: Variables::new(variables),
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The environment of a package, if it is there.
    ///
    /// # Errors
    /// Its marker cannot be read.
    pub fn find(&self, package: &Package) -> Result<Option<Environment>, InstallError> {
        Environment::read(&self.root(package))
    }

    /// The environment of a package: as it is when it is there and made of what it would be made of today, else a new one.
    /// Installers of the same package wait for each other.
    ///
    /// Dropping the future ends the installer.
    ///
    /// # Errors
    /// Nothing is left behind that counts as installed.
    pub async fn install(&self, package: &Package) -> Result<Environment, InstallError> {
        let hold = Hold::take(&self.directory, package).await?;
        if let Some(environment) = self.find(package)?
            && environment.is_current()
        {
            return Ok(environment);
        }
        let root = self.root(package);
        self.discard(&root)?;
        let made = self.make(package, &root, &hold).await;
        if made.is_err() {
            // What went wrong first is what matters.
            let _ = self.discard(&root);
        }
        made
    }

    /// Removes the environment of a package; false when there was none. A tap that runs from it fails.
    ///
    /// # Errors
    /// Its files cannot be removed; it does not count any more all the same.
    pub async fn remove(&self, package: &Package) -> Result<bool, InstallError> {
        let _hold = Hold::take(&self.directory, package).await?;
        let there = self.find(package)?.is_some();
        self.discard(&self.root(package))?;
        Ok(there)
    }

    /// What an installation would use.
    ///
    /// # Errors
    /// There is no Python, or one that makes no environments.
    pub async fn installer(&self) -> Result<Installer, InstallError> {
        let uv = installer::uv(&self.variables).await;
        let python = Python::find(&self.python, &self.variables).await?;
        Installer::new(python, uv)
    }

    /// Makes an environment with one small package in it and throws it away: whether Python, the installer and the registry
    /// do what they must.
    ///
    /// # Errors
    /// What an installation would fail with.
    pub async fn rehearse(&self) -> Result<(), InstallError> {
        let package = Package::new("wheel", "0.45.1")
            .map_err(|error| InstallError::internal(error.to_string()))?;
        let hold = Hold::take(&self.directory, &package).await?;
        let root = self.directory.join(".rehearsal");
        self.discard(&root)?;
        let fetched = async {
            let installer = self.installer().await?;
            installer.make(&root, &self.variables, &hold).await?;
            let requirements = root.join(REQUIREMENTS);
            write(&requirements, &format!("{package}\n"))?;
            let fetched = installer.install(&package, &root, &requirements, false);
            fetched.run(&self.variables, &hold).await
        };
        let fetched = fetched.await;
        let discarded = self.discard(&root);
        fetched.and(discarded)
    }

    async fn make(
        &self,
        package: &Package,
        root: &Path,
        hold: &Hold,
    ) -> Result<Environment, InstallError> {
        let installer = self.installer().await?;
        installer.make(root, &self.variables, hold).await?;

        let lock = Lock::of(package);
        let requirements = root.join(REQUIREMENTS);
        let text = lock.map_or_else(|| format!("{package}\n"), |lock| lock.text().to_owned());
        write(&requirements, &text)?;
        let install = installer.install(package, root, &requirements, lock.is_some());
        install.run(&self.variables, hold).await?;

        let mut inspection = Inspection::of(package, root, &self.variables).await?;
        if lock.is_none() && inspection.lacks_pkg_resources() {
            write(
                &requirements,
                &format!("{package}\n{}\n", installer::SETUPTOOLS),
            )?;
            let install = installer.install(package, root, &requirements, false);
            install.run(&self.variables, hold).await?;
            inspection = Inspection::of(package, root, &self.variables).await?;
        }
        let script = inspection.script(package)?;
        inspection.start(package, root, &self.variables).await?;
        Environment::write(
            root,
            Made {
                package: package.clone(),
                script,
                takes_properties: inspection.takes_properties,
                python: inspection.python,
                python_directories: inspection.directories,
                installer: installer.name().to_owned(),
            },
        )
    }

    fn root(&self, package: &Package) -> PathBuf {
        self.directory
            .join(format!("{}-{}", package.name(), package.version()))
    }

    /// Takes a directory away at once, then its files one by one.
    fn discard(&self, root: &Path) -> Result<(), InstallError> {
        let away = self.directory.join(format!(
            ".removed-{}",
            root.file_name().unwrap_or_default().to_string_lossy()
        ));
        remove(&away)?;
        match fs::rename(root, &away) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(|source| InstallError::io("moved away", root, source))?,
        }
        remove(&away)
    }
}

fn remove(path: &Path) -> Result<(), InstallError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(InstallError::io("removed", path, error))
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    fs::write(path, text).map_err(|source| InstallError::io("written", path, source))
}
