//! The file: opening it for writing, and waiting for the turn to write.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use selvedge_connector::{ConnectorError, ErrorKind};
use tokio_util::sync::CancellationToken;

use crate::error::explain;
use crate::superseded::Superseded;

/// One attempt to get the write lock, and how many there are: ten minutes in all, far more than the checkpoint of
/// another writer takes. Between two attempts the stop signal is looked at.
const LOCK_WAIT: Duration = Duration::from_millis(250);
const LOCK_ATTEMPTS: u32 = 2_400;

/// How often a new file is tried to be switched to the write-ahead log.
const SWITCH_ATTEMPTS: u32 = 40;

/// Virtual machine steps between two looks at the stop signal.
const STEPS_BETWEEN_STOP_CHECKS: i32 = 10_000;

/// Page cache of a connection, in KiB: index pages of a table under load stay in memory.
const CACHE_KIB: i64 = 16 * 1_024;

/// Statements that are kept prepared: one or two for each subtable of a stream.
const STATEMENTS: usize = 64;

/// The write-ahead file is folded into the database when it has this many pages, and cut to this size again.
const CHECKPOINT_PAGES: i64 = 4_000;
const WAL_BYTES: i64 = 64 << 20;

/// Statements are told of under this target, at the level of traces: each as it begins, commits as they end, too.
const STATEMENT_TARGET: &str = "selvedge_dest_sqlite::statement";

/// A connection to the destination's file, for one writer.
pub(crate) struct File {
    pub(crate) connection: Connection,
    pub(crate) superseded: Arc<Superseded>,
    stop: CancellationToken,
    /// Whether the stop signal ends the statement at work. Not during writes and commits: a stopped run still commits
    /// what it has.
    interruptible: Arc<AtomicBool>,
}

impl File {
    /// Opens the file, and creates it with its directory if need be.
    pub(crate) fn open(path: &Path, stop: &CancellationToken) -> Result<Self, ConnectorError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|error| {
                ConnectorError::new(
                    ErrorKind::Permission,
                    "the directory of the SQLite file cannot be created",
                )
                .with_detail(error.to_string())
            })?;
        }
        let interruptible = Arc::new(AtomicBool::new(false));
        let superseded = Arc::new(Superseded::default());
        let connection = connect(path).map_err(|error| explain(&error))?;
        superseded
            .register(&connection)
            .map_err(|error| explain(&error))?;
        let (token, armed) = (stop.clone(), Arc::clone(&interruptible));
        connection
            .progress_handler(
                STEPS_BETWEEN_STOP_CHECKS,
                Some(move || armed.load(Ordering::Relaxed) && token.is_cancelled()),
            )
            .map_err(|error| explain(&error))?;
        Ok(Self {
            connection,
            superseded,
            stop: stop.clone(),
            interruptible,
        })
    }

    /// Begins a write transaction when it is this writer's turn.
    pub(crate) fn begin(&self) -> Result<(), ConnectorError> {
        for attempt in 1.. {
            match self.connection.execute_batch("begin immediate") {
                Ok(()) => break,
                Err(error) if attempt == LOCK_ATTEMPTS || !is_locked(&error) => {
                    return Err(explain(&error));
                }
                Err(_) if self.stop.is_cancelled() => return Err(ConnectorError::stopped()),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Makes the transaction durable.
    pub(crate) fn commit(&self) -> Result<(), ConnectorError> {
        self.execute("commit")
    }

    /// Takes the transaction back, if there is one.
    pub(crate) fn roll_back(&self) -> Result<(), ConnectorError> {
        match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.execute("rollback"),
        }
    }

    pub(crate) fn execute(&self, sql: &str) -> Result<(), ConnectorError> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| explain(&error))
    }

    /// Does long work that a stop may end.
    pub(crate) fn interruptibly<T>(
        &self,
        work: impl FnOnce() -> Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        self.interruptible.store(true, Ordering::Relaxed);
        let result = work();
        self.interruptible.store(false, Ordering::Relaxed);
        result
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    if tracing::enabled!(target: STATEMENT_TARGET, tracing::Level::TRACE) {
        let events = TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_PROFILE;
        connection.trace_v2(events, Some(tell));
    }
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    switch_to_log(&connection)?;
    // With `normal`, a commit that was reported could be gone after a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    // References between tables are the user's own; a replaced table must not delete their rows.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    Ok(connection)
}

/// Without the values that are bound to a statement.
fn tell(event: TraceEvent<'_>) {
    match event {
        TraceEvent::Stmt(statement, _) => {
            tracing::trace!(target: STATEMENT_TARGET, sql = %statement.sql(), "begins");
        }
        TraceEvent::Profile(statement, duration) if statement.sql() == "commit" => {
            tracing::trace!(target: STATEMENT_TARGET, sql = "commit", ?duration, "ended");
        }
        _ => {}
    }
}

/// Switches a new file to the write-ahead log. That needs the file alone and, unlike everything else, does not wait for it:
/// of two writers that open a new file together, the later one waits for a lock that does, and tries again.
fn switch_to_log(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 1..SWITCH_ATTEMPTS {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if is_locked(&error) => {
                match connection.execute_batch("begin immediate; commit") {
                    Err(error) if !is_locked(&error) => return Err(error),
                    _ => {}
                }
            }
            switched => return switched,
        }
    }
    connection.pragma_update(None, "journal_mode", "wal")
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
