//! The switch: a table that was loaded beside another takes its place.
//!
//! All of it happens in the transaction that is open, so a reader sees the old table or the new one. Columns that the new
//! rows say nothing about stay (empty), columns of former types go; the user's indexes and triggers are made again.

use rusqlite::params;
use selvedge_connector::ConnectorError;
use selvedge_shape::{SchemaChange, TableShape, replacement_changes};

use crate::connect::File;
use crate::error::explain;
use crate::structure::{TableStructure, key_index, quoted};

/// Puts `working`, whose rows `shape` describes, in the place of `table`. Returns lines for the job's log.
pub(crate) fn switch(
    file: &File,
    shape: &TableShape,
    working: &str,
    table: &str,
) -> Result<Vec<String>, ConnectorError> {
    let mut notes = Vec::new();
    let belongings = match TableStructure::read(&file.connection, table)? {
        Some(old) => {
            keep_columns(file, shape, working, &old)?;
            let belongings = belongings(file, table)?;
            file.execute(&format!("drop table {}", quoted(table)))?;
            belongings
        }
        None => Vec::new(),
    };
    // Views are text that names the table: with the old rules they are neither rewritten nor checked, and find the new
    // table when the transaction is through.
    file.execute("pragma legacy_alter_table = on")?;
    let renamed = file.execute(&format!(
        "alter table {} rename to {}",
        quoted(working),
        quoted(table)
    ));
    file.execute("pragma legacy_alter_table = off")?;
    renamed?;
    for (name, sql) in belongings {
        if let Err(error) = file.connection.execute_batch(&sql) {
            notes.push(format!(
                "{name} could not be made again on the new version of table {table}: {error}"
            ));
        }
    }
    Ok(notes)
}

/// Removes all rows: the new version of the table has none.
pub(crate) fn empty(file: &File, table: &str) -> Result<(), ConnectorError> {
    match TableStructure::read(&file.connection, table)? {
        Some(_) => file.execute(&format!("delete from {}", quoted(table))),
        None => Ok(()),
    }
}

fn keep_columns(
    file: &File,
    shape: &TableShape,
    working: &str,
    old: &TableStructure,
) -> Result<(), ConnectorError> {
    let dialect = shape.dialect();
    let changes = replacement_changes(shape, &old.for_planner());
    for column in &old.columns {
        let gone = changes.iter().any(|change| {
            matches!(change, SchemaChange::DropColumn { column: dropped }
                if dialect.same_column(dropped, &column.name))
        });
        let present = shape
            .columns()
            .iter()
            .any(|new| dialect.same_column(&new.name, &column.name));
        if !gone && !present && !column.generated {
            file.execute(&format!(
                "alter table {} add column {} {}",
                quoted(working),
                quoted(&column.name),
                column.declared
            ))?;
        }
    }
    Ok(())
}

/// The user's indexes and triggers on a table, as name and SQL.
fn belongings(file: &File, table: &str) -> Result<Vec<(String, String)>, ConnectorError> {
    let read = || {
        file.connection
            .prepare(
                "select type || ' ' || name, sql
                 from sqlite_schema
                 where tbl_name = ?1 collate nocase
                   and type in ('index', 'trigger')
                   and sql is not null
                   and name <> ?2 collate nocase
                 order by type, name",
            )?
            .query_map(params![table, key_index(table)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()
    };
    read().map_err(|error| explain(&error))
}
