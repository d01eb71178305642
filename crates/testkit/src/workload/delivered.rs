//! Rows as they are found in a destination.

use tokio_postgres::Client;

/// The identity of a row. `None` stands for NULL, which no delivered row may have there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveredRow {
    pub table: Option<String>,
    pub key: Option<i64>,
    pub version: Option<i64>,
    pub check: Option<String>,
}

impl DeliveredRow {
    /// The destination's columns, in the order of the fields.
    pub const COLUMNS: &str = "row_table, row_key, row_version, row_check";

    /// Reads a whole table of a PostgreSQL destination; `table` is written as in SQL.
    pub async fn read(client: &Client, table: &str) -> Result<Vec<Self>, tokio_postgres::Error> {
        let rows = client
            .query(
                &format!(
                    "select row_table::text, row_key::bigint, row_version::bigint, row_check::text from {table}"
                ),
                &[],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Self {
                    table: row.try_get(0)?,
                    key: row.try_get(1)?,
                    version: row.try_get(2)?,
                    check: row.try_get(3)?,
                })
            })
            .collect()
    }
}
