//! SQLite's errors as the kinds that somebody branches on.

use rusqlite::ErrorCode;
use selvedge_connector::{ConnectorError, ErrorKind};

/// Says in a customer's words what a failure of the file means. SQLite's text goes beside it; it names tables and
/// columns, never values.
pub(crate) fn explain(error: &rusqlite::Error) -> ConnectorError {
    let Some(code) = error.sqlite_error_code() else {
        return ConnectorError::internal("the SQLite file could not be read")
            .with_detail(error.to_string());
    };
    let (kind, message) = match code {
        ErrorCode::OperationInterrupted => return ConnectorError::stopped(),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Unreachable,
            "the SQLite file is locked by another program: try again when that program has finished writing",
        ),
        ErrorCode::NotADatabase => (
            ErrorKind::Configuration,
            "the file is not a SQLite database, or it is encrypted: check the property path",
        ),
        ErrorCode::DatabaseCorrupt => (
            ErrorKind::Data,
            "the SQLite file is damaged: restore it, or repair it with the .recover command of the sqlite3 program",
        ),
        ErrorCode::CannotOpen => (
            ErrorKind::Permission,
            "the SQLite file cannot be opened: the server must be able to read it and, if it uses write-ahead logging, \
             to write into its directory",
        ),
        ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::ReadOnly => (
            ErrorKind::Permission,
            "the server may not read the SQLite file: check the file's permissions",
        ),
        ErrorCode::SystemIoFailure => (
            ErrorKind::Unreachable,
            "reading the SQLite file failed in the operating system",
        ),
        ErrorCode::DiskFull => (
            ErrorKind::Data,
            "there is no room for SQLite's temporary files: free disk space, or add an index on the replication key",
        ),
        ErrorCode::TooBig | ErrorCode::OutOfMemory => (
            ErrorKind::Data,
            "a value in the SQLite file is too large to be read",
        ),
        _ => (ErrorKind::Data, "the SQLite file could not be read"),
    };
    ConnectorError::new(kind, message).with_detail(error.to_string())
}
