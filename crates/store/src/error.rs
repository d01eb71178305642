//! What can go wrong in the store.

/// A failure of the store. Neither text nor `Debug` form holds credentials, tokens or row values.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is busy or full; the same call may succeed later.
    #[error("the control-plane database is not available")]
    Unavailable(#[source] DriverError),
    /// A unique value is taken.
    #[error("{0} is taken")]
    Conflict(&'static str),
    /// A row contradicts our own rules.
    #[error("row {id} of table {table} has an invalid {column}")]
    Corrupt {
        table: &'static str,
        column: &'static str,
        id: String,
    },
    /// The database was created with another master key.
    #[error("the master key is not the one this database was created with")]
    WrongMasterKey,
    /// An applied migration is not the one this program knows under that version.
    #[error("migration {version} of this database differs from the one built in")]
    SchemaMismatch { version: i64 },
    /// Anything else the database or its driver refused.
    #[error("the control-plane database refused the operation")]
    Database(#[source] DriverError),
}

/// What the database or its driver said: its error code (an SQLSTATE, or SQLite's extended code) and its main message,
/// without the details that may quote values.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct DriverError {
    pub code: Option<String>,
    pub message: String,
}

impl DriverError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
        }
    }
}

impl StoreError {
    /// Whether SQLite said that another connection holds the file (the primary code is in the low byte).
    pub(crate) fn is_busy(&self) -> bool {
        const SQLITE_BUSY: u32 = 5;
        let Self::Unavailable(driver) = self else {
            return false;
        };
        let code = driver
            .code
            .as_deref()
            .and_then(|code| code.parse::<u32>().ok());
        code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
    }

    /// For a column whose content cannot be understood.
    pub(crate) fn corrupt(
        table: &'static str,
        column: &'static str,
        id: impl std::fmt::Display,
    ) -> Self {
        Self::Corrupt {
            table,
            column,
            id: id.to_string(),
        }
    }

    pub(crate) fn io(error: &std::io::Error) -> Self {
        Self::Unavailable(DriverError::new(error.to_string()))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let driver = match error {
            rusqlite::Error::SqliteFailure(failure, message) => DriverError {
                code: Some(failure.extended_code.to_string()),
                message: message.unwrap_or_else(|| failure.to_string()),
            },
            other => DriverError::new(other.to_string()),
        };
        if driver.code.as_deref().is_some_and(temporary) {
            Self::Unavailable(driver)
        } else {
            Self::Database(driver)
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        let driver = match error.as_database_error() {
            Some(error) => DriverError {
                code: error.code().map(|code| code.into_owned()),
                message: error.message().to_owned(),
            },
            None => DriverError::new(error.to_string()),
        };
        let temporary = match &error {
            Error::Database(_) => driver.code.as_deref().is_some_and(temporary),
            Error::Io(_)
            | Error::Tls(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed => true,
            _ => false,
        };
        if temporary {
            Self::Unavailable(driver)
        } else {
            Self::Database(driver)
        }
    }
}

/// Whether an error code says that the same call may succeed later.
fn temporary(code: &str) -> bool {
    // SQLite's codes are decimal numbers whose low byte is the primary code; an SQLSTATE has five characters.
    if code.len() < 5 {
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const INPUT_OUTPUT: u32 = 10;
        const FULL: u32 = 13;
        const CANNOT_OPEN: u32 = 14;
        return code.parse::<u32>().is_ok_and(|code| {
            matches!(
                code & 0xff,
                BUSY | LOCKED | INPUT_OUTPUT | FULL | CANNOT_OPEN
            )
        });
    }
    // Connection exceptions, insufficient resources, operator intervention, serialization failures and deadlocks.
    ["08", "53", "57"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "40001" | "40P01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_databases_and_broken_connections_are_temporary() {
        for code in ["5", "517", "6", "13", "08006", "57P01", "53300", "40P01"] {
            assert!(temporary(code), "{code}");
        }
        for code in ["1", "11", "19", "2067", "23505", "42P01", "28P01"] {
            assert!(!temporary(code), "{code}");
        }
    }
}
