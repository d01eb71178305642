//! Files on this server's disk in which the rows of a load are collected before they become an object.

use std::error::Error as StdError;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind as IoKind};
use std::path::{Path, PathBuf};

use selvedge_connector::{ConnectorError, ErrorKind, TableTarget};
use tempfile::NamedTempFile;

/// The collecting files of one stream. Only one run of a stream writes at a time, so what an earlier one left is garbage.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    directory: PathBuf,
    prefix: String,
}

/// A complete file, gone when dropped.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) file: NamedTempFile,
    pub(crate) length: u64,
}

impl Spool {
    /// Removes what a run of the stream that was killed left behind.
    pub(crate) fn open(directory: &Path, target: &TableTarget) -> Result<Self, ConnectorError> {
        let mut hasher = DefaultHasher::new();
        (&target.schema_name, &target.table_name).hash(&mut hasher);
        let spool = Self {
            directory: directory.to_owned(),
            prefix: format!("{}-{:016x}-", target.identity.source_id, hasher.finish()),
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(&spool.prefix));
            if ours {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(spool)
    }

    /// A file that is to become an object.
    pub(crate) fn named(&self) -> Result<NamedTempFile, ConnectorError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&self.prefix).suffix(".part");
        // As any file that a program makes; temporary ones are closed to others unless told.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(&self.directory).map_err(failed)
    }

    /// A file without a name: it is gone with its handle, whatever happens.
    pub(crate) fn unnamed(&self) -> Result<File, ConnectorError> {
        tempfile::tempfile_in(&self.directory).map_err(failed)
    }
}

impl Sealed {
    pub(crate) fn new(file: NamedTempFile) -> Result<Self, ConnectorError> {
        let length = file.as_file().metadata().map_err(failed)?.len();
        Ok(Self { file, length })
    }
}

/// The error of whatever goes wrong with a collecting file: a full disk, above all.
pub(crate) fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> ConnectorError {
    let error = error.into();
    let mut next: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    let mut refused = None;
    // The libraries of the formats wrap what the system says.
    while let (None, Some(cause)) = (refused, next) {
        refused = cause.downcast_ref::<io::Error>().and_then(refusal);
        next = cause.source();
    }
    let (kind, message) = refused.unwrap_or((
        ErrorKind::Internal,
        "a file that collects the rows of a load could not be written or read",
    ));
    ConnectorError::new(kind, message).with_detail(error.to_string())
}

/// What the operating system refuses for a reason that somebody can do something about.
pub(crate) fn refusal(error: &io::Error) -> Option<(ErrorKind, &'static str)> {
    Some(match error.kind() {
        IoKind::PermissionDenied | IoKind::ReadOnlyFilesystem => (
            ErrorKind::Permission,
            "the server may not write into the directory of its files",
        ),
        IoKind::StorageFull | IoKind::QuotaExceeded => (
            ErrorKind::Unreachable,
            "the disk of the files is full: free some space; loading goes on where it stopped",
        ),
        IoKind::NotADirectory | IoKind::AlreadyExists => (
            ErrorKind::Data,
            "a file is in the place of a directory: rename or remove it",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use arrow_schema::ArrowError;
    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn a_full_disk_says_so_whichever_library_met_it() {
        let full = || io::Error::from(IoKind::StorageFull);
        for error in [
            failed(full()),
            failed(ArrowError::IoError("writing".to_owned(), full())),
            failed(ParquetError::from(full())),
        ] {
            assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
            assert!(error.message.contains("full"), "{error:?}");
            assert!(error.detail.is_some());
        }
        assert_eq!(failed("a file in use").kind, ErrorKind::Internal);
    }
}
