//! The unique index on a table's key, and what it takes to build it over rows that were loaded without.

use rusqlite::ErrorCode;
use selvedge_connector::ConnectorError;
use selvedge_shape::system;

use crate::connect::File;
use crate::error::explain;
use crate::structure::{TableStructure, key_index, quoted, quoted_list, row_identity};

/// Builds `<table>_pkey`. Where rows share a key, the one with the greatest sequence stays, of equal ones the last that
/// came. Returns how many rows went.
pub(crate) fn build(file: &File, table: &str, key: &[String]) -> Result<u64, ConnectorError> {
    let columns = quoted_list(key.iter().map(String::as_str));
    let create = format!(
        "create unique index {} on {} ({columns})",
        quoted(&key_index(table)),
        quoted(table)
    );
    // Duplicates are the exception, and finding them takes as long as building the index.
    match file.connection.execute_batch(&create) {
        Ok(()) => return Ok(0),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {}
        Err(error) => return Err(explain(&error)),
    }
    let structure = TableStructure::read(&file.connection, table)?;
    let names = structure.iter().flat_map(|structure| &structure.columns);
    let rowid = row_identity(names.map(|column| column.name.as_str()));
    let removed = file
        .connection
        .execute(
            &format!(
                "delete from {table}
                 where {rowid} in (
                   select r
                   from (
                     select {rowid} as r,
                            row_number() over (partition by {columns} order by {sequence} desc, {rowid} desc) as place
                     from {table}
                   )
                   where place > 1
                 )",
                table = quoted(table),
                sequence = system::SEQUENCE,
            ),
            [],
        )
        .map_err(|error| explain(&error))?;
    file.execute(&create)?;
    Ok(removed as u64)
}

/// Drops `<table>_pkey`: rows are not told apart by key any more.
pub(crate) fn drop(file: &File, table: &str) -> Result<(), ConnectorError> {
    file.execute(&format!(
        "drop index if exists {}",
        quoted(&key_index(table))
    ))
}
