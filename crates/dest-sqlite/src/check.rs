//! Whether the file can be written, found out without leaving anything behind.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use selvedge_connector::{CheckReport, ConnectorError, ErrorKind};
use tokio_util::sync::CancellationToken;

use crate::connect::File;
use crate::error::explain;

/// Tries what a load does: where the file exists, a write that is taken back; where it does not, a database beside its
/// future place.
pub(crate) fn check(path: &Path, stop: &CancellationToken) -> CheckReport {
    let mut report = CheckReport::default();
    let name = path.file_name().map_or_else(
        || "the SQLite file".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    if path.exists() {
        let step = format!("write to {name}");
        match try_existing(path, stop) {
            Ok(()) => report.passed(step),
            Err(error) => report.failed(step, error, None),
        }
    } else {
        let step = format!("create {name}");
        match try_new(path) {
            Ok(()) => report.passed(step),
            Err(error) => report.failed(step, error, None),
        }
    }
    report
}

fn try_existing(path: &Path, stop: &CancellationToken) -> Result<(), ConnectorError> {
    let file = File::open(path, stop)?;
    file.begin()?;
    let written = file.execute("create table _sdc_selvedge_check (x integer)");
    file.roll_back()?;
    written
}

/// The directory may have to be made as well, so the deepest one that exists is tried.
fn try_new(path: &Path) -> Result<(), ConnectorError> {
    let directory = path
        .ancestors()
        .skip(1)
        .find(|directory| directory.is_dir())
        .ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::Permission,
                "the directory of the SQLite file does not exist",
            )
        })?;
    // Unique among the checks of this process, and other processes have other numbers.
    static PROBES: AtomicU64 = AtomicU64::new(0);
    let probe = directory.join(format!(
        ".selvedge-check-{}-{}.db",
        std::process::id(),
        PROBES.fetch_add(1, Ordering::Relaxed)
    ));
    let written = try_probe(&probe);
    let removed = match std::fs::remove_file(&probe) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| {
            ConnectorError::new(
                ErrorKind::Permission,
                "a file in the directory of the SQLite file cannot be removed",
            )
            .with_detail(error.to_string())
        }),
    };
    written.and(removed)
}

fn try_probe(probe: &Path) -> Result<(), ConnectorError> {
    let write = || {
        let connection = Connection::open_with_flags(
            probe,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.execute_batch("create table probe (x integer)")
    };
    write().map_err(|error| explain(&error))
}
