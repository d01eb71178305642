//! A directory of this server as a place for objects.
//!
//! A file appears under its final name complete and synchronised: it is collected on the same file system, written through
//! to the disk, linked under a name that must be free, and the directories on its way are written through as well.

use std::fs::File;
use std::io::{ErrorKind as IoKind, Read, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use selvedge_connector::{CheckReport, ConnectorError, ErrorKind};

use crate::spool::{Sealed, refusal};
use crate::store::{Creation, Store};

/// Folder for the collecting files. Keys never begin with it: they begin with the name of a schema, which has no point.
pub(crate) const SPOOL_FOLDER: &str = ".spool";

/// Largest file that is read back.
const MAX_READ_BYTES: u64 = 1 << 20;

/// Files below one directory.
#[derive(Clone, Debug)]
pub(crate) struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The directory is made with the first file.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn check(&self) -> CheckReport {
        let root = self.root.clone();
        let tried = on_blocking_thread(move || Ok(try_directory(&root))).await;
        let mut report = CheckReport::default();
        let step = "write a file into the directory";
        match tried.and_then(|tried| tried.map_err(|error| explain(&error))) {
            Ok(()) => report.passed(step),
            Err(error) => report.failed(step, error, None),
        }
        report
    }

    async fn exists(&self, key: &str) -> Result<bool, ConnectorError> {
        let path = self.path(key);
        on_blocking_thread(move || path.try_exists().map_err(|error| explain(&error))).await
    }

    /// Files have no room for a token.
    async fn holds(&self, key: &str, _token: &str) -> Result<bool, ConnectorError> {
        self.exists(key).await
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ConnectorError> {
        let path = self.path(key);
        on_blocking_thread(move || {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
                Err(error) => return Err(explain(&error)),
            };
            let mut content = Vec::new();
            file.take(MAX_READ_BYTES)
                .read_to_end(&mut content)
                .map_err(|error| explain(&error))?;
            Ok(Some(content))
        })
        .await
    }

    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), ConnectorError> {
        let (root, path) = (self.root.clone(), self.path(key));
        on_blocking_thread(move || {
            let replace = || {
                let folder = folder_of(&path)?;
                make_directories(&root, folder)?;
                let mut file = tempfile::Builder::new()
                    .prefix(".")
                    .suffix(".part")
                    .tempfile_in(folder)?;
                file.write_all(&content)?;
                file.as_file().sync_all()?;
                file.persist(&path).map_err(|error| error.error)?;
                File::open(folder)?.sync_all()
            };
            replace().map_err(|error| explain(&error))
        })
        .await
    }

    async fn create(
        &self,
        key: &str,
        sealed: Sealed,
        _token: &str,
    ) -> Result<Creation, ConnectorError> {
        let (root, path) = (self.root.clone(), self.path(key));
        on_blocking_thread(move || {
            let create = |sealed: Sealed| {
                let folder = folder_of(&path)?;
                make_directories(&root, folder)?;
                sealed.file.as_file().sync_all()?;
                let length = sealed.length;
                match sealed.file.persist_noclobber(&path) {
                    Ok(_) => {}
                    Err(taken) if taken.error.kind() == IoKind::AlreadyExists => {
                        let file = taken.file;
                        return Ok(Creation::Taken(Sealed { file, length }));
                    }
                    Err(error) => return Err(error.error),
                }
                File::open(folder)?.sync_all()?;
                Ok(Creation::Created)
            };
            create(sealed).map_err(|error: std::io::Error| explain(&error))
        })
        .await
    }
}

fn folder_of(path: &Path) -> std::io::Result<&Path> {
    path.parent()
        .ok_or_else(|| std::io::Error::new(IoKind::InvalidInput, "a key without a folder"))
}

/// Makes the folders that are missing, and writes every folder through that got a new one.
fn make_directories(root: &Path, folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let kept = folder
        .ancestors()
        .skip(1)
        .take_while(|ancestor| ancestor.starts_with(root))
        .map(Path::to_owned)
        .collect::<Vec<_>>();
    std::fs::create_dir_all(folder)?;
    for ancestor in kept.iter().map(PathBuf::as_path).chain(root.parent()) {
        File::open(ancestor)?.sync_all()?;
    }
    Ok(())
}

/// The directory may have to be made as well, so the deepest one that exists is tried.
fn try_directory(root: &Path) -> std::io::Result<()> {
    let directory = root
        .ancestors()
        .find(|directory| directory.is_dir())
        .ok_or_else(|| std::io::Error::from(IoKind::NotFound))?;
    let mut file = tempfile::Builder::new()
        .prefix(".selvedge-check-")
        .tempfile_in(directory)?;
    file.write_all(b"x")?;
    file.as_file().sync_all()?;
    file.close()
}

fn explain(error: &std::io::Error) -> ConnectorError {
    let (kind, message) = refusal(error).unwrap_or((
        ErrorKind::Internal,
        "a file in the directory could not be written or read",
    ));
    ConnectorError::new(kind, message).with_detail(error.to_string())
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        ConnectorError::internal("writing files ended unexpectedly").with_detail(error.to_string())
    })?
}
