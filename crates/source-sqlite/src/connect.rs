//! Opening a file that somebody else wrote, read-only.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use selvedge_connector::ConnectorError;
use tokio_util::sync::CancellationToken;

use crate::error::explain;

/// How long one attempt waits for a writer that has locked the file, and how often it is tried: five seconds in all,
/// with a look at the stop signal in between.
const LOCK_WAIT: Duration = Duration::from_millis(100);
const LOCK_ATTEMPTS: u32 = 50;

/// Virtual machine steps between two looks at the stop signal; a fraction of a millisecond.
const STEPS_BETWEEN_STOP_CHECKS: i32 = 10_000;

/// Opens the file at `path` (canonical: no link is followed any more) and starts a read transaction, so that everything
/// read through the connection is one state of the file. Any statement on it ends when `stop` is cancelled.
pub(crate) fn open_snapshot(
    path: &Path,
    stop: &CancellationToken,
) -> Result<Connection, ConnectorError> {
    let connection = open(path, stop).map_err(|error| explain(&error))?;
    for attempt in 1.. {
        if stop.is_cancelled() {
            return Err(ConnectorError::stopped());
        }
        match begin(&connection) {
            Ok(()) => break,
            Err(error) if attempt < LOCK_ATTEMPTS && is_locked(&error) => {
                // Nothing was read yet, so there is nothing to lose with the transaction.
                if !connection.is_autocommit() {
                    connection
                        .execute_batch("rollback")
                        .map_err(|error| explain(&error))?;
                }
            }
            Err(error) => return Err(explain(&error)),
        }
    }
    Ok(connection)
}

fn open(path: &Path, stop: &CancellationToken) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    connection.busy_timeout(LOCK_WAIT)?;
    // Views and triggers in the file are not ours: no unsafe functions, no misspelt column read as a string, and
    // SQLite's own advice for files of unknown origin.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    let stop = stop.clone();
    connection.progress_handler(STEPS_BETWEEN_STOP_CHECKS, Some(move || stop.is_cancelled()))?;
    Ok(connection)
}

/// A transaction takes its snapshot at the first read, so it reads something.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("begin")?;
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
