//! Fitting an emptied table to the structure of the data that replaces its rows.

use crate::{Column, ColumnType, ExistingTable, SchemaChange, TableShape};

/// The changes that let the rows of `fresh`, planned as if there were no table, move into the table `existing` once that is
/// empty: columns of another type are made anew, columns of former splits go, missing ones come. All else stays, a
/// column that only had NULLs this time included.
pub fn replacement_changes(fresh: &TableShape, existing: &ExistingTable) -> Vec<SchemaChange> {
    let dialect = fresh.dialect;
    let same = |left: &str, right: &str| dialect.same_column(left, right);
    let mut drops = Vec::new();
    let mut changes = Vec::new();
    for column in &existing.columns {
        let counterpart = fresh
            .columns
            .iter()
            .find(|fresh| same(&fresh.name, &column.name));
        let stays = match counterpart {
            Some(fresh) => match (&fresh.column_type, &column.column_type) {
                (Some(ColumnType::BigInt), Some(ColumnType::Integer)) => {
                    changes.push(SchemaChange::WidenToBigint {
                        column: column.name.clone(),
                    });
                    true
                }
                (Some(new), Some(old)) => new.fits(old),
                _ => false,
            },
            None => !is_former_column(fresh, &column.name),
        };
        if !stays {
            drops.push(SchemaChange::DropColumn {
                column: column.name.clone(),
            });
        }
    }
    let dropped = |name: &str| {
        drops
            .iter()
            .any(|drop| matches!(drop, SchemaChange::DropColumn { column } if same(column, name)))
    };
    for column in &fresh.columns {
        let present = existing
            .columns
            .iter()
            .any(|old| same(&old.name, &column.name));
        if let Some(column_type) = &column.column_type
            && (!present || dropped(&column.name))
        {
            changes.push(SchemaChange::AddColumn(Column::new(
                &column.name,
                column_type.clone(),
            )));
        }
    }
    drops.extend(changes);
    drops
}

/// Whether the column belongs to a field that has other columns now.
fn is_former_column(fresh: &TableShape, name: &str) -> bool {
    let dialect = fresh.dialect;
    fresh.bases_with_columns().any(|base| {
        dialect.same_column(base, name)
            || dialect
                .split_suffixes
                .iter()
                .any(|suffix| dialect.same_column(&format!("{base}__{suffix}"), name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test_support::{batch, existing, shape};
    use selvedge_connector::LogicalType::{Int32, Text};

    #[test]
    fn a_replacement_rebuilds_what_changed_and_keeps_the_rest() {
        let mut fresh = shape(&["id"], None);
        let (schema, records) = batch(&[
            ("id", Int32, &[true]),
            ("age", Text, &[true]),
            ("size", Int32, &[true]),
            ("gone_null", Text, &[false]),
            ("new", Text, &[true]),
        ]);
        fresh.plan(&schema, &records);
        let table = existing(&[
            ("id", ColumnType::BigInt),
            ("age__it", ColumnType::Integer),
            ("age__st", ColumnType::Text),
            ("size", ColumnType::Double),
            ("gone_null", ColumnType::Text),
            ("users_own", ColumnType::Text),
            ("_sdc_extracted_at", ColumnType::Timestamp),
            ("_sdc_received_at", ColumnType::Timestamp),
            ("_sdc_batched_at", ColumnType::Timestamp),
            ("_sdc_sequence", ColumnType::BigInt),
            ("_sdc_table_version", ColumnType::BigInt),
        ]);
        let drop = |column: &str| SchemaChange::DropColumn {
            column: column.to_owned(),
        };
        assert_eq!(
            replacement_changes(&fresh, &table),
            [
                drop("age__it"),
                drop("age__st"),
                drop("size"),
                SchemaChange::AddColumn(Column::new("age", ColumnType::Text)),
                SchemaChange::AddColumn(Column::new("size", ColumnType::Integer)),
                SchemaChange::AddColumn(Column::new("new", ColumnType::Text)),
            ]
        );
    }
}
