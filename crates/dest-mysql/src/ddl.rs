//! Statements that change tables.
//!
//! Every one of them commits whatever transaction is open, so none runs inside one. All changes that a batch needs go into
//! one `ALTER TABLE`, which the server carries out whole or not at all: a crash never leaves half of a split behind.

use selvedge_connector::ConnectorError;
use selvedge_shape::{Column, SchemaChange};

use crate::key::Key;
use crate::sql::{column_list, quote_identifier};
use crate::types::sql_type;

/// Writes column definitions for one table.
#[derive(Clone, Debug)]
pub(crate) struct Ddl {
    /// Collation of the texts in keys.
    pub(crate) key_collation: &'static str,
}

impl Ddl {
    /// `` `id` bigint not null ``.
    fn definition(&self, column: &Column, key: &Key) -> Result<String, ConnectorError> {
        let name = quote_identifier(&column.name);
        let unknown = || {
            ConnectorError::internal(format!(
                "the column {} has a type that MySQL is never given",
                column.name
            ))
        };
        let type_name = sql_type(&column.column_type).ok_or_else(unknown)?;
        Ok(match key.column(&column.name) {
            None => format!("{name} {type_name}"),
            Some(part) => match part.characters {
                None => format!("{name} {type_name} not null"),
                Some(characters) => format!(
                    "{name} varchar({characters}) character set utf8mb4 collate {} not null",
                    self.key_collation
                ),
            },
        })
    }

    fn definitions(&self, columns: &[Column], key: &Key) -> Result<Vec<String>, ConnectorError> {
        columns
            .iter()
            .map(|column| self.definition(column, key))
            .collect()
    }

    /// `table` is a quoted name.
    pub(crate) fn create(
        &self,
        table: &str,
        columns: &[Column],
        key: &Key,
    ) -> Result<String, ConnectorError> {
        Ok(format!(
            "create table {table} ({}, primary key ({})) engine = InnoDB default character set utf8mb4",
            self.definitions(columns, key)?.join(", "),
            column_list(key.names())
        ))
    }

    /// A temporary table for rows on their way. `arrival` numbers them; servers that insist on primary keys have one.
    pub(crate) fn create_stage(
        &self,
        stage: &str,
        arrival: &str,
        columns: &[Column],
        key: &Key,
    ) -> Result<String, ConnectorError> {
        Ok(format!(
            "create temporary table {stage} ({}, {} bigint unsigned not null auto_increment primary key)
             engine = InnoDB default character set utf8mb4",
            self.definitions(columns, key)?.join(", "),
            quote_identifier(arrival)
        ))
    }

    /// One statement for all `changes`.
    pub(crate) fn alter(
        &self,
        table: &str,
        columns: &[Column],
        changes: &[SchemaChange],
        key: &Key,
    ) -> Result<String, ConnectorError> {
        let mut clauses = Vec::new();
        for alteration in alterations(columns, changes)? {
            clauses.push(match alteration {
                Alteration::Add(column) => {
                    format!("add column {}", self.definition(&column, key)?)
                }
                Alteration::Change { from, to } => format!(
                    "change column {} {}",
                    quote_identifier(&from),
                    self.definition(&to, key)?
                ),
                Alteration::Drop(name) => format!("drop column {}", quote_identifier(&name)),
            });
        }
        Ok(format!("alter table {table} {}", clauses.join(", ")))
    }
}

/// The sum of changes to one column: a statement may name each only once.
#[derive(Debug, PartialEq, Eq)]
enum Alteration {
    Add(Column),
    Change { from: String, to: Column },
    Drop(String),
}

/// Sums up changes of a table that had `columns` before them.
fn alterations(
    columns: &[Column],
    changes: &[SchemaChange],
) -> Result<Vec<Alteration>, ConnectorError> {
    let mut sums: Vec<Alteration> = Vec::new();
    for change in changes {
        match change {
            SchemaChange::AddColumn(column) => sums.push(Alteration::Add(column.clone())),
            SchemaChange::DropColumn { column } => sums.push(Alteration::Drop(column.clone())),
            SchemaChange::WidenToBigint { column } => {
                current(&mut sums, columns, column)?.column_type =
                    selvedge_shape::ColumnType::BigInt;
            }
            SchemaChange::RenameColumn { from, to } => {
                current(&mut sums, columns, from)?.name.clone_from(to);
            }
            SchemaChange::CreateTable { .. } | SchemaChange::DropKey => {
                return Err(ConnectorError::internal(
                    "a table's creation or key is no change of a column",
                ));
            }
        }
    }
    Ok(sums)
}

/// The column that is called `name` by now.
fn current<'a>(
    sums: &'a mut Vec<Alteration>,
    columns: &[Column],
    name: &str,
) -> Result<&'a mut Column, ConnectorError> {
    let known = sums.iter().position(|sum| match sum {
        Alteration::Add(column) | Alteration::Change { to: column, .. } => {
            column.name.eq_ignore_ascii_case(name)
        }
        Alteration::Drop(_) => false,
    });
    let index = match known {
        Some(index) => index,
        None => {
            let column = columns
                .iter()
                .find(|column| column.name.eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    ConnectorError::internal(format!(
                        "the column {name} is to be changed and is not there"
                    ))
                })?;
            sums.push(Alteration::Change {
                from: column.name.clone(),
                to: column.clone(),
            });
            sums.len() - 1
        }
    };
    match &mut sums[index] {
        Alteration::Add(column) | Alteration::Change { to: column, .. } => Ok(column),
        Alteration::Drop(_) => Err(ConnectorError::internal("a dropped column was changed")),
    }
}

#[cfg(test)]
mod tests {
    use selvedge_shape::ColumnType;

    use super::*;
    use crate::key::KeyColumn;

    fn key() -> Key {
        Key {
            columns: vec![
                KeyColumn {
                    name: "id".to_owned(),
                    characters: None,
                },
                KeyColumn {
                    name: "code".to_owned(),
                    characters: Some(766),
                },
            ],
        }
    }

    const DDL: Ddl = Ddl {
        key_collation: "utf8mb4_nopad_bin",
    };

    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", ColumnType::Integer),
            Column::new("code", ColumnType::Text),
            Column::new("a`b", ColumnType::Decimal),
        ]
    }

    #[test]
    fn keys_are_not_null_and_their_texts_exact() {
        assert_eq!(
            DDL.create("`s`.`t`", &columns(), &key()).unwrap(),
            "create table `s`.`t` (`id` int not null, \
             `code` varchar(766) character set utf8mb4 collate utf8mb4_nopad_bin not null, `a``b` decimal(38,6), \
             primary key (`id`, `code`)) engine = InnoDB default character set utf8mb4"
        );
    }

    #[test]
    fn a_batch_of_changes_is_one_statement() {
        let changes = [
            SchemaChange::WidenToBigint {
                column: "id".to_owned(),
            },
            SchemaChange::RenameColumn {
                from: "a`b".to_owned(),
                to: "ab__de".to_owned(),
            },
            SchemaChange::AddColumn(Column::new("ab__st", ColumnType::Text)),
            SchemaChange::AddColumn(Column::new("new", ColumnType::Integer)),
            SchemaChange::RenameColumn {
                from: "new".to_owned(),
                to: "new__it".to_owned(),
            },
            SchemaChange::WidenToBigint {
                column: "new__it".to_owned(),
            },
            SchemaChange::AddColumn(Column::new("new__bo", ColumnType::Boolean)),
        ];
        assert_eq!(
            DDL.alter("`t`", &columns(), &changes, &key()).unwrap(),
            "alter table `t` change column `id` `id` bigint not null, \
             change column `a``b` `ab__de` decimal(38,6), add column `ab__st` longtext, \
             add column `new__it` bigint, add column `new__bo` tinyint(1)"
        );
    }
}
