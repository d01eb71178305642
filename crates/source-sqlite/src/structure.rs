//! What the file says about its own tables.

use rusqlite::{Connection, params};

/// A table or view that can be read.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) is_view: bool,
}

/// One column, in the table's order.
pub(crate) struct TableColumn {
    pub(crate) name: String,
    /// As written in `create table`; empty where nothing is.
    pub(crate) declared: String,
    /// Place in the primary key, from 1; 0 outside of it.
    pub(crate) key_place: i64,
}

/// All tables and views, by name. Left out are SQLite's own tables, and virtual tables with the shadow tables that
/// store them: their content is an index of other tables' content, and reading them runs a module's code.
pub(crate) fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    connection
        .prepare(
            "select name, type = 'view'
             from pragma_table_list
             where schema = 'main'
               and type in ('table', 'view')
               and name not like 'sqlite\\_%' escape '\\'
             order by name",
        )?
        .query_map([], |row| {
            Ok(Table {
                name: row.get(0)?,
                is_view: row.get(1)?,
            })
        })?
        .collect()
}

/// The columns of a table, generated ones included; empty when there is no such table.
pub(crate) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<TableColumn>> {
    connection
        .prepare(
            "select name, type, pk
             from pragma_table_xinfo(?1, 'main')
             where hidden <> 1
             order by cid",
        )?
        .query_map(params![table], |row| {
            Ok(TableColumn {
                name: row.get(0)?,
                declared: row.get(1)?,
                key_place: row.get(2)?,
            })
        })?
        .collect()
}

/// Rows as `analyze` last counted them. Counting would read the table, and the greatest rowid says nothing about a
/// table that rows are deleted from; so without `analyze` there is no estimate.
pub(crate) fn row_count(connection: &Connection, table: &str) -> rusqlite::Result<Option<u64>> {
    let analyzed: bool = connection.query_row(
        "select exists (select 1 from sqlite_schema where name = 'sqlite_stat1')",
        [],
        |row| row.get(0),
    )?;
    if !analyzed {
        return Ok(None);
    }
    let counts: Vec<Option<String>> = connection
        .prepare("select cast(stat as text) from sqlite_stat1 where tbl = ?1")?
        .query_map(params![table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    // One row per index, its first number the rows in the index; a partial index has fewer than the table.
    Ok(counts
        .iter()
        .flatten()
        .filter_map(|stat| stat.split_whitespace().next()?.parse().ok())
        .max())
}

/// An identifier in SQL text.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
