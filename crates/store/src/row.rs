//! Rows on their way out: the same getters for both databases.

use selvedge_types::Timestamp;
use serde_json::{Map, Value as Json};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::StoreError;
use crate::reader::{FromCell, ReadRow};

/// One row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    Read(ReadRow),
}

impl Row {
    fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + FromCell,
        T: for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        let value = match self {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
            Row::Read(row) => return row.get(column),
        };
        value.map_err(StoreError::from)
    }

    pub(crate) fn integer(&self, column: &str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn optional_integer(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn optional_blob(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_micros)
    }

    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_micros))
    }

    /// JSON text of any shape; `table` and `id` name the row should the text be broken.
    pub(crate) fn json(
        &self,
        table: &'static str,
        column: &'static str,
        id: impl std::fmt::Display,
    ) -> Result<Json, StoreError> {
        serde_json::from_str(&self.text(column)?)
            .map_err(|_| StoreError::corrupt(table, column, id))
    }

    pub(crate) fn optional_json(
        &self,
        table: &'static str,
        column: &'static str,
        id: impl std::fmt::Display,
    ) -> Result<Option<Json>, StoreError> {
        self.optional_text(column)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| StoreError::corrupt(table, column, id))
    }

    /// JSON text that must be an object.
    pub(crate) fn object(
        &self,
        table: &'static str,
        column: &'static str,
        id: impl std::fmt::Display,
    ) -> Result<Map<String, Json>, StoreError> {
        serde_json::from_str(&self.text(column)?)
            .map_err(|_| StoreError::corrupt(table, column, id))
    }
}
