//! Changes of a table, as the planner lists them.

use selvedge_connector::ConnectorError;
use selvedge_shape::{Column, SchemaChange};

use crate::connect::File;
use crate::keys;
use crate::structure::quoted;
use crate::types::declared;

/// Carries out all changes, in order, in the transaction that is open. Returns lines for the job's log.
pub(crate) fn carry_out(
    file: &File,
    table: &str,
    changes: &[SchemaChange],
) -> Result<Vec<String>, ConnectorError> {
    let mut notes = Vec::new();
    for change in changes {
        match change {
            SchemaChange::CreateTable { columns, .. } => create_table(file, table, columns)?,
            SchemaChange::AddColumn(column) => add_column(file, table, column)?,
            // SQLite's integers are as wide as they have to be.
            SchemaChange::WidenToBigint { .. } => {}
            SchemaChange::RenameColumn { from, to } => {
                file.execute(&format!(
                    "alter table {} rename column {} to {}",
                    quoted(table),
                    quoted(from),
                    quoted(to)
                ))?;
                notes.push(format!(
                    "column {from} of table {table} holds values of several types: it is now {to}"
                ));
            }
            SchemaChange::DropColumn { column } => file.execute(&format!(
                "alter table {} drop column {}",
                quoted(table),
                quoted(column)
            ))?,
            SchemaChange::DropKey => {
                keys::drop(file, table)?;
                notes.push(format!(
                    "a key column of table {table} changed its type: rows are appended from now on"
                ));
            }
        }
    }
    Ok(notes)
}

/// The key is an index of its own, so that it can come after the rows, and go.
fn create_table(file: &File, table: &str, columns: &[Column]) -> Result<(), ConnectorError> {
    let columns = columns
        .iter()
        .map(|column| format!("{} {}", quoted(&column.name), declared(&column.column_type)))
        .collect::<Vec<_>>()
        .join(", ");
    file.execute(&format!("create table {} ({columns})", quoted(table)))
}

pub(crate) fn add_column(file: &File, table: &str, column: &Column) -> Result<(), ConnectorError> {
    file.execute(&format!(
        "alter table {} add column {} {}",
        quoted(table),
        quoted(&column.name),
        declared(&column.column_type)
    ))
}
