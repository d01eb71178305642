//! What the file says about a table: its columns, its key.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use selvedge_connector::ConnectorError;
use selvedge_shape::{Column, Dialect, ExistingColumn, ExistingTable};

use crate::error::explain;
use crate::types::{column_type, declared};

/// A table that is there.
#[derive(Debug)]
pub(crate) struct TableStructure {
    pub(crate) columns: Vec<StoredColumn>,
    /// Columns of `<table>_pkey`; `None` without such an index.
    pub(crate) key: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct StoredColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    /// Generated columns cannot be written.
    pub(crate) generated: bool,
}

impl TableStructure {
    /// `None` when there is no such table. A view of that name is an error.
    pub(crate) fn read(
        connection: &Connection,
        table: &str,
    ) -> Result<Option<Self>, ConnectorError> {
        let kind: Option<String> = connection
            .query_row(
                "select type from sqlite_schema
                 where name = ?1 collate nocase
                   and type in ('table', 'view')",
                params![table],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| explain(&error))?;
        match kind.as_deref() {
            None => return Ok(None),
            Some("table") => {}
            Some(_) => {
                return Err(ConnectorError::table(format!(
                    "{table} is a view: rename it, its name is needed for the table"
                )));
            }
        }
        let read = || {
            Ok::<_, rusqlite::Error>(Self {
                columns: columns(connection, table)?,
                key: key(connection, table)?,
            })
        };
        read().map(Some).map_err(|error| explain(&error))
    }

    /// The same for the planner.
    pub(crate) fn for_planner(&self) -> ExistingTable {
        ExistingTable {
            columns: self
                .columns
                .iter()
                .map(|column| ExistingColumn {
                    name: column.name.clone(),
                    column_type: match column.generated {
                        true => None,
                        false => column_type(&column.declared),
                    },
                })
                .collect(),
            used_slots: self.columns.len(),
        }
    }

    /// Makes sure that columns of the engine's own are as they were made.
    pub(crate) fn require(
        &self,
        table: &str,
        columns: impl IntoIterator<Item = Column>,
    ) -> Result<(), ConnectorError> {
        for column in columns {
            let intact = self.columns.iter().any(|present| {
                present.name == column.name
                    && !present.generated
                    && column_type(&present.declared)
                        .is_some_and(|present| present.fits(&column.column_type))
            });
            if !intact {
                return Err(ConnectorError::table(format!(
                    "the column {} of table {table} was removed, renamed or retyped: restore it as {}, or drop the table \
                     to load it anew",
                    column.name,
                    declared(&column.column_type)
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.columns
            .iter()
            .any(|column| Dialect::SQLITE.same_column(&column.name, name))
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<StoredColumn>> {
    connection
        .prepare("select name, type, hidden <> 0 from pragma_table_xinfo(?1) order by cid")?
        .query_map(params![table], |row| {
            Ok(StoredColumn {
                name: row.get(0)?,
                declared: row.get(1)?,
                generated: row.get(2)?,
            })
        })?
        .collect()
}

fn key(connection: &Connection, table: &str) -> rusqlite::Result<Option<Vec<String>>> {
    let columns: Vec<String> = connection
        .prepare(
            "select c.name
             from pragma_index_list(?1) as i, pragma_index_info(i.name) as c
             where i.name = ?2 collate nocase
               and i.\"unique\" = 1
               and c.name is not null
             order by c.seqno",
        )?
        .query_map(params![table, key_index(table)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((!columns.is_empty()).then_some(columns))
}

/// Name of the unique index on a table's key.
pub(crate) fn key_index(table: &str) -> String {
    format!("{table}_pkey")
}

/// An identifier in SQL text.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Identifiers in SQL text, separated by commas.
pub(crate) fn quoted_list<'a>(identifiers: impl IntoIterator<Item = &'a str>) -> String {
    identifiers
        .into_iter()
        .map(quoted)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The name by which SQLite's own identity of a row can be had: of its names the first that is no column of the table.
pub(crate) fn row_identity<'a>(columns: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    ["_rowid_", "rowid", "oid"]
        .into_iter()
        .find(|name| {
            !columns
                .clone()
                .any(|column| column.eq_ignore_ascii_case(name))
        })
        .unwrap_or("_rowid_")
}

/// Keys are compared as sets; SQLite does not mind the case of names.
pub(crate) fn same_names(left: &[String], right: &[String]) -> bool {
    let set = |names: &[String]| {
        names
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect::<HashSet<_>>()
    };
    set(left) == set(right)
}
