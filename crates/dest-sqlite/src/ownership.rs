//! `_sdc_selvedge_tables`: whose the tables of the file are.
//!
//! Names alone do not tell. `shop__orders__items` may be the stream `orders__items` of the schema `shop`, the items of an
//! array of its stream `orders`, or the stream `items` of the schema `shop__orders`. So the first that makes a table
//! claims its name here, for all schemas of the file, in the transaction that makes the table.
//!
//! | Column | Content |
//! | --- | --- |
//! | `table_name` | the table |
//! | `schema_name` | the schema of the source that loads it |
//! | `root_table` | the table of the stream whose subtable it is; NULL for the table of a stream |
//! | `levels` | how many arrays its items are in, counted from the record; 0 for the table of a stream |

use rusqlite::{Connection, OptionalExtension, params};
use selvedge_connector::ConnectorError;
use selvedge_shape::Dialect;

use crate::connect::File;
use crate::error::explain;

const TABLE: &str = "_sdc_selvedge_tables";

/// Whose a table is.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) schema_name: String,
    pub(crate) root_table: Option<String>,
}

impl Owner {
    /// The stream itself.
    pub(crate) fn stream(schema_name: &str) -> Self {
        Self {
            schema_name: schema_name.to_owned(),
            root_table: None,
        }
    }

    /// An array of the records in `root_table`.
    pub(crate) fn array(schema_name: &str, root_table: &str) -> Self {
        Self {
            schema_name: schema_name.to_owned(),
            root_table: Some(root_table.to_owned()),
        }
    }

    /// Why another may not write to `table`.
    pub(crate) fn refuses(&self, table: &str) -> ConnectorError {
        let whose = match &self.root_table {
            Some(root) => format!(
                "to the arrays of table {root} in the schema {}",
                self.schema_name
            ),
            None => format!("to a stream of the schema {}", self.schema_name),
        };
        ConnectorError::table(format!(
            "the table {table} belongs {whose}, and names of tables are schema and stream joined by two underscores: load \
             one of the two sources under another schema name or into another destination"
        ))
    }
}

/// SQLite does not mind the case of names.
impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.schema_name.eq_ignore_ascii_case(&other.schema_name)
            && match (&self.root_table, &other.root_table) {
                (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
                (None, None) => true,
                _ => false,
            }
    }
}

/// Whose `table` is. `None` when nobody claimed it, and when the claim is void: its table was dropped.
pub(crate) fn owner(connection: &Connection, table: &str) -> Result<Option<Owner>, ConnectorError> {
    if !exists(connection, TABLE)? {
        return Ok(None);
    }
    let owner = connection
        .query_row(
            &format!("select schema_name, root_table from {TABLE} where table_name = ?1"),
            params![table],
            |row| {
                Ok(Owner {
                    schema_name: row.get(0)?,
                    root_table: row.get(1)?,
                })
            },
        )
        .optional()
        .map_err(|error| explain(&error))?;
    match owner {
        Some(owner)
            if exists(connection, table)?
                || exists(connection, &beside(&owner.schema_name, table))? =>
        {
            Ok(Some(owner))
        }
        _ => Ok(None),
    }
}

/// Names and levels of the subtables of `root_table`, dropped ones included.
pub(crate) fn subtables(
    connection: &Connection,
    root_table: &str,
) -> Result<Vec<(String, usize)>, ConnectorError> {
    if !exists(connection, TABLE)? {
        return Ok(Vec::new());
    }
    let read = || {
        connection
            .prepare(&format!(
                "select table_name, levels
                 from {TABLE}
                 where root_table = ?1
                 order by table_name"
            ))?
            .query_map(params![root_table], |row| {
                Ok((row.get(0)?, row.get::<_, u32>(1)? as usize))
            })?
            .collect::<rusqlite::Result<_>>()
    };
    read().map_err(|error| explain(&error))
}

/// Claims the table of a stream, in the transaction that is open, unless another was faster.
pub(crate) fn claim_stream(
    file: &File,
    schema_name: &str,
    table: &str,
) -> Result<(), ConnectorError> {
    let stream = Owner::stream(schema_name);
    match owner(&file.connection, table)? {
        Some(other) if other != stream => Err(other.refuses(table)),
        Some(_) => Ok(()),
        None => claim(file, table, &stream, 0),
    }
}

/// Claims `table` in the transaction that is open. Whoever claims has looked for its [`owner`] in the same transaction.
pub(crate) fn claim(
    file: &File,
    table: &str,
    owner: &Owner,
    levels: usize,
) -> Result<(), ConnectorError> {
    // Names of arrays in arrays would be longer than memory long before.
    let levels = u32::try_from(levels).unwrap_or(u32::MAX);
    file.execute(&format!(
        "create table if not exists {TABLE} (
           table_name text not null collate nocase primary key,
           schema_name text not null,
           root_table text collate nocase,
           levels integer not null
         )"
    ))?;
    file.connection
        .execute(
            &format!(
                "insert or replace into {TABLE} (table_name, schema_name, root_table, levels) values (?1, ?2, ?3, ?4)"
            ),
            params![table, owner.schema_name, owner.root_table, levels],
        )
        .map(|_| ())
        .map_err(|error| explain(&error))
}

/// Whether the file has a table or view of that name.
pub(crate) fn exists(connection: &Connection, table: &str) -> Result<bool, ConnectorError> {
    connection
        .query_row(
            "select exists (
               select 1
               from sqlite_schema
               where name = ?1 collate nocase
                 and type in ('table', 'view')
             )",
            params![table],
            |row| row.get(0),
        )
        .map_err(|error| explain(&error))
}

/// The name of `table` in its schema: of the stream, or of the stream and the way to the array.
pub(crate) fn name_in_schema<'a>(schema_name: &str, table: &'a str) -> &'a str {
    let prefix = (Dialect::SQLITE.table_name)(schema_name, "");
    table.get(prefix.len()..).unwrap_or(table)
}

/// Where the next version of a table is made.
pub(crate) fn beside(schema_name: &str, table: &str) -> String {
    let name = name_in_schema(schema_name, table);
    (Dialect::SQLITE.table_name)(schema_name, &format!("_sdc_next_{name}"))
}
