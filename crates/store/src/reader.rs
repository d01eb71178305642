//! Reading the SQLite file where the caller stands.
//!
//! sqlx gives every SQLite connection a thread of its own and hands it each statement. Looking up a row by its key takes
//! microseconds, much less than two such hand-overs, and reading is most of what the control plane does. So what reads
//! has connections without a thread: a look-up runs at once, and what may bring many rows goes to the threads for
//! blocking work. Writers wait for each other and for the disk; they stay with sqlx.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::StoreError;
use crate::error::DriverError;
use crate::value::Value;

/// More than the cores of a small machine gain nothing.
const CONNECTIONS: usize = 4;

/// Compiled statements that a connection keeps: all that read.
const STATEMENTS: usize = 256;

/// The reading connections of one file.
pub(crate) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

/// One connection, in a transaction that only reads unless it was asked for without. It ends when this is dropped.
pub(crate) struct Reader {
    /// Elsewhere while a list is read.
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _turn: OwnedSemaphorePermit,
}

/// One row, detached from its statement.
pub(crate) struct ReadRow {
    columns: Arc<[String]>,
    cells: Vec<Cell>,
}

impl Readers {
    /// Opens the file, which exists and is in write-ahead mode.
    pub(crate) fn open(path: &Path, busy_timeout: Duration) -> Result<Arc<Self>, StoreError> {
        let readers = Self {
            path: path.to_owned(),
            busy_timeout,
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
        };
        let first = readers.connect()?;
        readers.idle().push(first);
        Ok(Arc::new(readers))
    }

    /// Waits for a free connection, `patience` at most, and begins to read one state of the database.
    pub(crate) async fn begin(self: &Arc<Self>, patience: Duration) -> Result<Reader, StoreError> {
        let mut reader = self.take(patience).await?;
        // Taken out meanwhile, so that a connection that cannot begin is not put back.
        let connection = reader.connection.take().ok_or_else(interrupted)?;
        connection.prepare_cached("begin")?.execute([])?;
        reader.connection = Some(connection);
        Ok(reader)
    }

    /// The same for statements each of which may see a state of its own.
    pub(crate) async fn take(self: &Arc<Self>, patience: Duration) -> Result<Reader, StoreError> {
        let turn = tokio::time::timeout(patience, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| unavailable("no connection became free in time"))?
            .map_err(|_| unavailable("the store is closed"))?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        Ok(Reader {
            connection: Some(connection),
            readers: Arc::clone(self),
            _turn: turn,
        })
    }

    /// Waits for those who read, and closes all connections.
    pub(crate) async fn close(&self) {
        let everyone = u32::try_from(CONNECTIONS).expect("a handful");
        // An error says that it is closed already.
        if let Ok(turns) = self.turns.acquire_many(everyone).await {
            self.turns.close();
            self.idle().clear();
            drop(turns);
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        // Not read-only: the write-ahead log keeps its readers in a file that they share.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.busy_timeout)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // A vector that is pushed to and popped from is whole after every step.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// For statements that find at most one row: runs at once.
    pub(crate) fn fetch_optional(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<ReadRow>, StoreError> {
        let connection = self.connection.as_ref().ok_or_else(interrupted)?;
        Ok(fetch(connection, sql, values, 1)?.pop())
    }

    /// For statements that may find many rows: runs where blocking is allowed.
    pub(crate) async fn fetch_all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<ReadRow>, StoreError> {
        // A caller that gives up meanwhile closes the connection; the next one opens another.
        let connection = self.connection.take().ok_or_else(interrupted)?;
        let (connection, rows) = tokio::task::spawn_blocking(move || {
            let rows = fetch(&connection, sql, values, usize::MAX);
            (connection, rows)
        })
        .await
        .map_err(|_| interrupted())?;
        self.connection = Some(connection);
        Ok(rows?)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let ended = if connection.is_autocommit() {
            Ok(())
        } else {
            let rollback = connection.prepare_cached("rollback");
            rollback.and_then(|mut rollback| rollback.execute([]).map(drop))
        };
        match ended {
            Ok(()) => self.readers.idle().push(connection),
            Err(error) => tracing::warn!(%error, "a reading connection was given up"),
        }
    }
}

fn fetch(
    connection: &Connection,
    sql: &str,
    values: Vec<Value>,
    limit: usize,
) -> rusqlite::Result<Vec<ReadRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    for index in 1..=statement.parameter_count() {
        // To SQLite `$2` is a name like any other, numbered by where it first stands in the text.
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.checked_sub(1)?));
        let value = value.ok_or(rusqlite::Error::InvalidParameterCount(index, values.len()))?;
        match value {
            Value::Integer(integer) => statement.raw_bind_parameter(index, integer)?,
            Value::Text(text) => statement.raw_bind_parameter(index, text)?,
            Value::Blob(blob) => statement.raw_bind_parameter(index, blob)?,
        }
    }
    let columns: Arc<[String]> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let cells = (0..columns.len())
            .map(|index| row.get(index))
            .collect::<Result<_, _>>()?;
        found.push(ReadRow {
            columns: Arc::clone(&columns),
            cells,
        });
    }
    Ok(found)
}

impl ReadRow {
    fn cell(&self, column: &str) -> Result<&Cell, StoreError> {
        self.columns
            .iter()
            .position(|name| name == column)
            .map(|index| &self.cells[index])
            .ok_or_else(|| refused(format!("there is no column {column}")))
    }

    /// The value of a column, in a type that its cells have.
    pub(crate) fn get<T: FromCell>(&self, column: &str) -> Result<T, StoreError> {
        T::from_cell(self.cell(column)?)
            .ok_or_else(|| refused(format!("the column {column} is of another type")))
    }
}

/// The types that columns have, with and without nulls.
pub(crate) trait FromCell: Sized {
    /// `None` for a cell of another type.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Integer(integer) => Some(*integer),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Blob(blob) => Some(blob.clone()),
            _ => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

fn unavailable(message: &str) -> StoreError {
    StoreError::Unavailable(DriverError::new(message))
}

fn refused(message: String) -> StoreError {
    StoreError::Database(DriverError::new(message))
}

fn interrupted() -> StoreError {
    unavailable("reading was interrupted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::values;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn file() -> (tempfile::TempDir, Arc<Readers>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "journal_mode", "wal")
            .unwrap();
        connection
            .execute_batch(
                "create table t (id integer primary key, name text, body blob) strict;
                 insert into t values (1, 'one', x'01'), (2, null, null);",
            )
            .unwrap();
        let readers = Readers::open(&path, Duration::from_secs(5)).unwrap();
        (directory, readers)
    }

    #[tokio::test]
    async fn parameters_are_bound_by_their_numbers() {
        let (_directory, readers) = file();
        let mut reader = readers.begin(PATIENCE).await.unwrap();
        let sql = "select id, $2 as second, $1 as first from t where name = $2 and id = $1";
        let row = reader.fetch_optional(sql, values![1_i64, "one"]);
        let row = row.unwrap().unwrap();
        assert_eq!(row.get::<i64>("first").unwrap(), 1);
        assert_eq!(row.get::<String>("second").unwrap(), "one");
        let missing = reader.fetch_optional(sql, values![1_i64]);
        assert!(matches!(missing, Err(StoreError::Database(_))));
    }

    #[tokio::test]
    async fn cells_are_read_in_the_type_they_have() {
        let (_directory, readers) = file();
        let mut reader = readers.begin(PATIENCE).await.unwrap();
        let rows = reader
            .fetch_all("select * from t order by id", values![])
            .await
            .unwrap();
        assert_eq!(
            rows[0].get::<Option<Vec<u8>>>("body").unwrap(),
            Some(vec![1])
        );
        assert_eq!(rows[1].get::<Option<String>>("name").unwrap(), None);
        assert!(rows[1].get::<String>("name").is_err(), "a null");
        assert!(rows[0].get::<i64>("name").is_err(), "a text");
        assert!(rows[0].get::<i64>("nope").is_err(), "no column");
    }

    #[tokio::test]
    async fn connections_are_used_again_and_never_more_than_there_are_turns() {
        let (_directory, readers) = file();
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(readers.begin(PATIENCE).await.unwrap());
        }
        let late = readers.begin(Duration::ZERO).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))));
        drop(open);
        assert_eq!(readers.idle().len(), CONNECTIONS);
        readers.begin(PATIENCE).await.unwrap();
        assert_eq!(readers.idle().len(), CONNECTIONS);
    }

    #[tokio::test]
    async fn a_list_that_nobody_waits_for_takes_its_connection_with_it() {
        let (_directory, readers) = file();
        let mut reader = readers.begin(PATIENCE).await.unwrap();
        {
            let reading = reader.fetch_all("select id from t", values![]);
            let mut reading = std::pin::pin!(reading);
            let waker = std::task::Waker::noop();
            let mut context = std::task::Context::from_waker(waker);
            assert!(std::future::Future::poll(reading.as_mut(), &mut context).is_pending());
        }
        assert!(reader.fetch_optional("select 1", values![]).is_err());
        drop(reader);
        let mut next = readers.begin(PATIENCE).await.unwrap();
        assert!(
            next.fetch_optional("select 1", values![])
                .unwrap()
                .is_some()
        );
    }

    #[tokio::test]
    async fn nothing_is_written_and_nothing_is_read_after_closing() {
        let (_directory, readers) = file();
        let mut reader = readers.begin(PATIENCE).await.unwrap();
        assert!(reader.fetch_optional("delete from t", values![]).is_err());
        drop(reader);
        readers.close().await;
        readers.close().await;
        let closed = readers.begin(PATIENCE).await;
        assert!(matches!(closed, Err(StoreError::Unavailable(_))));
    }
}
