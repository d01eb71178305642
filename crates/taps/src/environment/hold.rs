//! One installer of a package at a time, across processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::InstallError;
use crate::Package;

/// How long to wait before another installer's lock is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// The right to change the environment of one package. Installers inherit it with [`Hold::stdin`]: one that outlives its
/// parent still keeps others away.
#[derive(Debug)]
pub(super) struct Hold(File);

impl Hold {
    /// Waits for its turn.
    pub(super) async fn take(directory: &Path, package: &Package) -> Result<Self, InstallError> {
        let locks = directory.join(".locks");
        fs::create_dir_all(&locks).map_err(|source| InstallError::io("made", &locks, source))?;
        let path = locks.join(format!("{}-{}", package.name(), package.version()));
        let failed = |source| InstallError::io("locked", &path, source);
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).open(&path);
        let file = file.map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// The same right for a child process.
    pub(super) fn stdin(&self) -> Result<Stdio, InstallError> {
        let copy = self.0.try_clone();
        let copy =
            copy.map_err(|error| InstallError::internal(format!("no handle of a lock: {error}")))?;
        Ok(copy.into())
    }
}
