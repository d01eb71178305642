//! The data directory: its layout, its lock and its master key.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Paths of one server's state.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Makes the directory (mode 0700) if it is missing.
    pub(crate) fn prepare(root: &Path) -> anyhow::Result<Self> {
        let made = !root.exists();
        std::fs::create_dir_all(root)
            .with_context(|| format!("the data directory {} could not be made", root.display()))?;
        if made {
            std::fs::set_permissions(root, Permissions::from_mode(0o700)).with_context(|| {
                format!(
                    "the data directory {} could not be closed to others",
                    root.display()
                )
            })?;
        }
        let root = root
            .canonicalize()
            .with_context(|| format!("{} could not be resolved", root.display()))?;
        let directory = Self { root };
        for path in [directory.logs(), directory.warehouses()] {
            std::fs::create_dir_all(&path)
                .with_context(|| format!("{} could not be made", path.display()))?;
        }
        Ok(directory)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The embedded control-plane store.
    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("selvedge.db")
    }

    /// Job logs, one file per job.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Embedded warehouses, one file per account.
    pub(crate) fn warehouses(&self) -> PathBuf {
        self.root.join("warehouses")
    }

    /// Files of `local_files` destinations, one directory per account, made with the first file.
    pub(crate) fn exports(&self) -> PathBuf {
        self.root.join("files")
    }

    /// Rows on their way into a bucket.
    pub(crate) fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// What was pushed and is not loaded yet.
    pub(crate) fn intake(&self) -> PathBuf {
        self.root.join("intake")
    }

    /// Private directories of taps while they run.
    pub(crate) fn tap_runs(&self) -> PathBuf {
        self.root.join("taps/runs")
    }

    /// Takes the directory for one server. The lock goes with the returned file, also after kill -9.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        let path = self.root.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("the lock file {} could not be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another server already runs on the data directory {}; stop it, or name another directory with --data-dir",
                self.root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} could not be locked", path.display()))
            }
        }
    }

    /// The master key's text from its file, made with `generate` on first start (mode 0600).
    pub(crate) fn master_key(
        &self,
        generate: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        let path = self.root.join("master.key");
        let refused = || format!("the master key file {} could not be read", path.display());
        if path.exists() {
            let mut text = String::new();
            File::open(&path)
                .with_context(refused)?
                .read_to_string(&mut text)
                .with_context(refused)?;
            return Ok(text.trim().to_owned());
        }
        if self.store().exists() {
            bail!(
                "the master key file {} is missing, but the store exists: restore the key, or set SELVEDGE_MASTER_KEY",
                path.display()
            );
        }
        let key = generate()?;
        // Written beside and renamed: a crash leaves a whole key or none.
        let beside = self.root.join(format!("master.key.{}", std::process::id()));
        let written = || {
            format!(
                "the master key file {} could not be written",
                path.display()
            )
        };
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&beside)
            .with_context(written)?;
        file.write_all(format!("{key}\n").as_bytes())
            .with_context(written)?;
        file.sync_all().with_context(written)?;
        match std::fs::hard_link(&beside, &path) {
            Ok(()) => {}
            // Another process was first: its key is the key.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(written),
        }
        std::fs::remove_file(&beside).with_context(written)?;
        File::open(&self.root)
            .and_then(|directory| directory.sync_all())
            .with_context(written)?;
        let text = std::fs::read_to_string(&path).with_context(refused)?;
        Ok(text.trim().to_owned())
    }
}
