//! Putting a table in another's place: for replacements whose structure no longer fits the table that is there.
//!
//! `RENAME TABLE` exchanges two tables in one step for all readers, and like every change of structure it commits by itself.
//! So the new table is filled beside the old one under the name `<table>_stg`, the old one becomes `<table>_old` for as long
//! as it takes to drop it, and the mark says `swapping` meanwhile: whoever finds it so knows that both names are ours, that
//! the table itself is whole, and that the replacement has to be done again unless the mark says otherwise.

use mysql_async::Value;
use selvedge_connector::ConnectorError;

use crate::link::{Link, get};
use crate::sql::quote_qualified;

/// Quoted names of the three tables.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) table: String,
    pub(crate) new: String,
    pub(crate) old: String,
}

impl Names {
    pub(crate) fn new(schema: &str, table: &str) -> Self {
        Self {
            table: quote_qualified(schema, table),
            new: quote_qualified(schema, &format!("{table}_stg")),
            old: quote_qualified(schema, &format!("{table}_old")),
        }
    }

    /// The step that readers see.
    pub(crate) fn exchange(&self) -> String {
        let Self { table, new, old } = self;
        format!("rename table {table} to {old}, {new} to {table}")
    }
}

/// The statement that removes what a swap leaves, whatever of it is there.
pub(crate) fn drop_leftovers(schema: &str, table: &str) -> String {
    let names = Names::new(schema, table);
    format!("drop table if exists {}, {}", names.new, names.old)
}

/// Refuses to begin where somebody else has a table of one of our names.
pub(crate) async fn require_room(
    link: &mut Link,
    schema: &str,
    table: &str,
) -> Result<(), ConnectorError> {
    let rows = link
        .query(
            "select table_name as name from information_schema.tables
             where table_schema = ? and table_name in (concat(?, '_stg'), concat(?, '_old'))",
            vec![Value::from(schema), Value::from(table), Value::from(table)],
        )
        .await?;
    match rows.first() {
        None => Ok(()),
        Some(row) => {
            let name: String = get(row, "name")?;
            Err(ConnectorError::table(format!(
                "the table {schema}.{table} is to be exchanged for another, and {schema}.{name} is in the way: rename or \
                 drop it"
            )))
        }
    }
}
