//! Statements that change tables.

use selvedge_connector::ConnectorError;
use selvedge_postgres::quote_identifier;
use selvedge_shape::{Column, SchemaChange};

use crate::inspect::PrimaryKey;
use crate::types::sql_type;

/// `"a", "b"`.
pub(crate) fn column_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for name in names {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&quote_identifier(name));
    }
    list
}

/// `"a" bigint, "b" text`.
pub(crate) fn column_definitions<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let definitions: Vec<String> = columns
        .into_iter()
        .map(|column| {
            format!(
                "{} {}",
                quote_identifier(&column.name),
                sql_type(&column.column_type)
            )
        })
        .collect();
    definitions.join(", ")
}

/// The statement for a change of `table`, a quoted name. Tables are created without their key, which is cheaper to build
/// once the rows are there. A dropped key is not a matter of one statement: see [`drop_key`].
pub(crate) fn statement(table: &str, change: &SchemaChange) -> Result<String, ConnectorError> {
    Ok(match change {
        SchemaChange::CreateTable { columns, .. } => {
            format!("create table {table} ({})", column_definitions(columns))
        }
        SchemaChange::AddColumn(column) => format!(
            "alter table {table} add column {}",
            column_definitions([column])
        ),
        SchemaChange::WidenToBigint { column } => format!(
            "alter table {table} alter column {} type bigint",
            quote_identifier(column)
        ),
        SchemaChange::RenameColumn { from, to } => format!(
            "alter table {table} rename column {} to {}",
            quote_identifier(from),
            quote_identifier(to)
        ),
        SchemaChange::DropColumn { column } => {
            format!(
                "alter table {table} drop column {}",
                quote_identifier(column)
            )
        }
        SchemaChange::DropKey => {
            return Err(ConnectorError::internal(
                "a key is dropped by its constraint's name",
            ));
        }
    })
}

/// Takes the constraint away, and what it left behind: its columns may hold NULL again.
pub(crate) fn drop_key(table: &str, key: &PrimaryKey) -> String {
    let mut statement = format!(
        "alter table {table} drop constraint {}",
        quote_identifier(&key.constraint)
    );
    for column in &key.columns {
        statement.push_str(&format!(
            ", alter column {} drop not null",
            quote_identifier(column)
        ));
    }
    statement
}

/// The server names the constraint `<table>_pkey`, shortened where that is too long.
pub(crate) fn add_key(table: &str, columns: &[&str]) -> String {
    format!(
        "alter table {table} add primary key ({})",
        column_list(columns.iter().copied())
    )
}

#[cfg(test)]
mod tests {
    use selvedge_shape::ColumnType;

    use super::*;

    #[test]
    fn names_are_quoted_everywhere() {
        let odd = "a\"b c";
        let changes = [
            SchemaChange::CreateTable {
                columns: vec![Column::new(odd, ColumnType::Decimal)],
                key: vec![],
            },
            SchemaChange::AddColumn(Column::new(odd, ColumnType::Timestamp)),
            SchemaChange::WidenToBigint {
                column: odd.to_owned(),
            },
            SchemaChange::RenameColumn {
                from: odd.to_owned(),
                to: "x".to_owned(),
            },
            SchemaChange::DropColumn {
                column: odd.to_owned(),
            },
        ];
        let statements: Vec<String> = changes
            .iter()
            .map(|change| statement("\"t\"", change).unwrap())
            .collect();
        assert_eq!(
            statements,
            [
                "create table \"t\" (\"a\"\"b c\" numeric)",
                "alter table \"t\" add column \"a\"\"b c\" timestamp without time zone",
                "alter table \"t\" alter column \"a\"\"b c\" type bigint",
                "alter table \"t\" rename column \"a\"\"b c\" to \"x\"",
                "alter table \"t\" drop column \"a\"\"b c\"",
            ]
        );
    }
}
