//! SQLite's errors as the kinds that somebody branches on.

use rusqlite::ErrorCode;
use selvedge_connector::{ConnectorError, ErrorKind};

/// Says in a customer's words what a failure of the file means. SQLite's text goes beside it; it names tables and
/// columns, never values.
pub(crate) fn explain(error: &rusqlite::Error) -> ConnectorError {
    let Some(code) = error.sqlite_error_code() else {
        return ConnectorError::internal("the SQLite file could not be written")
            .with_detail(error.to_string());
    };
    let text = error.to_string();
    let (kind, message) = match code {
        ErrorCode::OperationInterrupted => return ConnectorError::stopped(),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Unreachable,
            "the SQLite file is locked by another program that writes to it",
        ),
        ErrorCode::DiskFull => (
            ErrorKind::Unreachable,
            "the disk with the SQLite file is full: free some space; loading goes on where it stopped",
        ),
        ErrorCode::ReadOnly => (
            ErrorKind::Permission,
            "the SQLite file is read-only: let the server write to the file and to its directory",
        ),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => (
            ErrorKind::Permission,
            "the SQLite file cannot be opened for writing: let the server write to the file and to its directory",
        ),
        ErrorCode::NotADatabase => (
            ErrorKind::Configuration,
            "the file of this destination is not a SQLite database: move it away",
        ),
        ErrorCode::DatabaseCorrupt => (
            ErrorKind::Data,
            "the SQLite file is damaged: restore it, or repair it with the .recover command of the sqlite3 program",
        ),
        ErrorCode::SystemIoFailure => (
            ErrorKind::Unreachable,
            "writing the SQLite file failed in the operating system",
        ),
        ErrorCode::ConstraintViolation => (
            ErrorKind::Data,
            "a constraint or trigger that was added to the table refuses rows: remove it",
        ),
        ErrorCode::TooBig | ErrorCode::OutOfMemory => {
            (ErrorKind::Data, "a value is too large for a SQLite file")
        }
        _ => missing(&text).unwrap_or((ErrorKind::Data, "the SQLite file could not be written")),
    };
    ConnectorError::new(kind, message).with_detail(text)
}

/// What a statement names is not there. SQLite has no code for it but its texts, which are stable.
fn missing(text: &str) -> Option<(ErrorKind, &'static str)> {
    let message = if text.starts_with("no such table") {
        "the table does not exist any more: the next load makes it anew"
    } else if text.starts_with("no such column") || text.contains(" has no column named ") {
        "the column does not exist any more: the next load makes it anew"
    } else {
        return None;
    };
    Some((ErrorKind::Data, message))
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_full_disk_says_so() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("pragma max_page_count = 4; create table t (x blob)")
            .unwrap();
        let full = connection
            .execute_batch("insert into t values (zeroblob(1000000))")
            .unwrap_err();
        let error = explain(&full);
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("full"), "{error}");
    }

    #[test]
    fn a_read_only_file_and_a_missing_directory_are_matters_of_permission() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let connection =
            Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let read_only = connection.execute_batch("create table t (x)").unwrap_err();
        let missing = Connection::open("/nowhere/at/all.db").unwrap_err();
        for error in [read_only, missing] {
            assert_eq!(explain(&error).kind, ErrorKind::Permission, "{error}");
        }
    }
}
