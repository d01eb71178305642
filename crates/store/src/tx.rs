//! Transactions: where every statement runs.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Postgres, Sqlite, Transaction};

use crate::StoreError;
use crate::cipher::Cipher;
use crate::commits::Commits;
use crate::error::DriverError;
use crate::reader::Reader;
use crate::row::Row;
use crate::value::Value;

/// A read transaction: one consistent view of the database, unless it comes from [`crate::Store::look_up`].
pub struct ReadTx {
    inner: Inner,
    cipher: Arc<Cipher>,
}

/// A write transaction. Nothing of it remains unless [`Tx::commit`] returned.
///
/// On SQLite there is one writer at a time: do not wait for anything but the store while one is open, and never begin a
/// second one inside it.
pub struct Tx {
    inner: ReadTx,
    commits: Commits,
}

pub(crate) enum Inner {
    /// The SQLite file, to read only.
    Reader(Reader),
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
    /// PostgreSQL with every statement in a transaction of its own.
    Session(PoolConnection<Postgres>),
}

/// Which of the two databases a transaction runs on, for the few texts that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl ReadTx {
    pub(crate) fn new(inner: Inner, cipher: Arc<Cipher>) -> Self {
        Self { inner, cipher }
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Reader(_) | Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) | Inner::Session(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn fetch_all(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Reader(reader) => reader
                .fetch_all(sql, values)
                .await?
                .into_iter()
                .map(Row::Read)
                .collect(),
            Inner::Sqlite(transaction) => bind_sqlite(sql, values)
                .fetch_all(&mut **transaction)
                .await?
                .into_iter()
                .map(Row::Sqlite)
                .collect(),
            Inner::Postgres(transaction) => bind_postgres(sql, values)
                .fetch_all(&mut **transaction)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
            Inner::Session(session) => bind_postgres(sql, values)
                .fetch_all(&mut **session)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    pub(crate) async fn fetch_optional(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Reader(reader) => reader.fetch_optional(sql, values)?.map(Row::Read),
            Inner::Sqlite(transaction) => bind_sqlite(sql, values)
                .fetch_optional(&mut **transaction)
                .await?
                .map(Row::Sqlite),
            Inner::Postgres(transaction) => bind_postgres(sql, values)
                .fetch_optional(&mut **transaction)
                .await?
                .map(Row::Postgres),
            Inner::Session(session) => bind_postgres(sql, values)
                .fetch_optional(&mut **session)
                .await?
                .map(Row::Postgres),
        })
    }

    /// For statements that always answer with a row, such as a count.
    pub(crate) async fn fetch_one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Row, StoreError> {
        match self.fetch_optional(sql, values).await? {
            Some(row) => Ok(row),
            None => Err(sqlx::Error::RowNotFound.into()),
        }
    }
}

impl Tx {
    pub(crate) fn new(inner: Inner, cipher: Arc<Cipher>, commits: Commits) -> Self {
        Self {
            inner: ReadTx::new(inner, cipher),
            commits,
        }
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        // Also when it fails or is given up: it may have happened all the same.
        let _counted = self.commits.one();
        match self.inner.inner {
            Inner::Reader(_) | Inner::Session(_) => return Err(read_only()),
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Runs a statement and answers with the number of rows it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        Ok(match &mut self.inner.inner {
            Inner::Reader(_) | Inner::Session(_) => return Err(read_only()),
            Inner::Sqlite(transaction) => bind_sqlite(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
            Inner::Postgres(transaction) => bind_postgres(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
        })
    }

    /// Runs several statements without parameters, such as a migration.
    pub(crate) async fn execute_script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match &mut self.inner.inner {
            Inner::Reader(_) | Inner::Session(_) => return Err(read_only()),
            Inner::Sqlite(transaction) => {
                sqlx::raw_sql(sql).execute(&mut **transaction).await?;
            }
            Inner::Postgres(transaction) => {
                sqlx::raw_sql(sql).execute(&mut **transaction).await?;
            }
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.inner
    }
}

/// Nobody makes a write transaction of a reading connection.
fn read_only() -> StoreError {
    StoreError::Database(DriverError::new("this connection only reads"))
}

fn bind_sqlite(sql: &'static str, values: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Integer(integer) => query.bind(integer),
            Value::Text(text) => query.bind(text),
            Value::Blob(blob) => query.bind(blob),
        };
    }
    query
}

fn bind_postgres(sql: &'static str, values: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Integer(integer) => query.bind(integer),
            Value::Text(text) => query.bind(text),
            Value::Blob(blob) => query.bind(blob),
        };
    }
    query
}
