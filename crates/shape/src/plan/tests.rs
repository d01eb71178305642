use std::sync::Arc;

use arrow_array::Int64Array;
use selvedge_connector::LogicalType::{Boolean, DecimalText, Float64, Int32, Int64, Text};

use super::test_support::{batch, existing, shape, with_first_column};
use super::*;
use crate::{Dialect, ExistingTable};

fn add(name: &str, column_type: ColumnType) -> SchemaChange {
    SchemaChange::AddColumn(Column::new(name, column_type))
}

fn rename(from: &str, to: &str) -> SchemaChange {
    SchemaChange::RenameColumn {
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

fn target_names(shape: &TableShape) -> Vec<Option<&str>> {
    shape
        .targets()
        .iter()
        .map(|target| match target {
            FieldTarget::Column(index) => Some(shape.columns()[*index].name.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_new_table_has_keys_then_data_with_values_then_system_columns() {
    let mut shape = shape(&["id"], None);
    let (schema, records) = batch(&[
        ("note", Text, &[false]),
        ("id", Int64, &[true]),
        ("label", Text, &[true]),
    ]);
    let [SchemaChange::CreateTable { columns, key }] = &shape.plan(&schema, &records)[..] else {
        panic!("not one creation");
    };
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "id",
            "label",
            "_sdc_extracted_at",
            "_sdc_received_at",
            "_sdc_batched_at",
            "_sdc_sequence",
            "_sdc_table_version"
        ]
    );
    assert_eq!(columns[0].column_type, ColumnType::BigInt);
    assert_eq!(key, &["id"]);
    assert_eq!(target_names(&shape), [None, Some("id"), Some("label")]);
}

#[test]
fn a_null_only_field_gets_its_column_with_the_first_value_behind_all_others() {
    let mut shape = shape(&["id"], None);
    let (schema, records) = batch(&[("note", Text, &[false]), ("id", Int32, &[true])]);
    shape.plan(&schema, &records);
    let before = shape.generation();
    assert_eq!(shape.plan(&schema, &records), []);
    assert_eq!(shape.generation(), before);
    let (_, records) = batch(&[("note", Text, &[true]), ("id", Int32, &[true])]);
    assert_eq!(
        shape.plan(&schema, &records),
        [add("note", ColumnType::Text)]
    );
    assert_eq!(shape.columns().last().unwrap().name, "note");
    assert!(shape.generation() > before);
}

#[test]
fn a_keyless_table_of_nulls_is_not_created() {
    let mut shape = shape(&[], None);
    let (schema, records) = batch(&[("a", Text, &[false]), ("b", Int32, &[false])]);
    assert_eq!(shape.plan(&schema, &records), []);
    assert!(!shape.exists());
    let (_, records) = batch(&[("a", Text, &[true]), ("b", Int32, &[false])]);
    let changes = shape.plan(&schema, &records);
    let [SchemaChange::CreateTable { columns, key }] = &changes[..] else {
        panic!("not one creation: {changes:?}");
    };
    assert_eq!(columns.last().unwrap().name, "__sdc_primary_key");
    assert!(key.is_empty());
}

#[test]
fn another_class_splits_the_column_and_renames_it() {
    // The walk of the documented example: integer, text, integer again, boolean.
    let mut table = existing(&[
        ("id", ColumnType::Integer),
        ("reading", ColumnType::Integer),
    ]);
    let run = |table: &mut ExistingTable, logical_type| {
        let mut shape = shape(&["id"], Some(table.clone()));
        let (schema, records) =
            batch(&[("id", Int32, &[true]), ("reading", logical_type, &[true])]);
        let changes = shape.plan(&schema, &records);
        table.columns = shape.columns().to_vec();
        let target = target_names(&shape)[1].unwrap().to_owned();
        (changes, target)
    };
    assert_eq!(
        run(&mut table, Text),
        (
            vec![
                rename("reading", "reading__it"),
                add("reading__st", ColumnType::Text)
            ],
            "reading__st".to_owned()
        )
    );
    assert_eq!(run(&mut table, Int32), (vec![], "reading__it".to_owned()));
    assert_eq!(
        run(&mut table, Boolean),
        (
            vec![add("reading__bo", ColumnType::Boolean)],
            "reading__bo".to_owned()
        )
    );
    assert_eq!(run(&mut table, Text), (vec![], "reading__st".to_owned()));
}

#[test]
fn numbers_of_different_classes_never_share_a_column() {
    for (logical_type, split) in [
        (Int32, "fee__it"),
        (Float64, "fee__do"),
        (DecimalText, "fee__de"),
    ] {
        let mut shape = shape(&["id"], Some(existing(&[("fee", ColumnType::Text)])));
        let (schema, records) = batch(&[("fee", logical_type, &[true])]);
        let changes = shape.plan(&schema, &records);
        assert_eq!(changes[0], rename("fee", "fee__st"));
        assert_eq!(target_names(&shape), [Some(split)]);
    }
}

#[test]
fn an_integer_column_widens_only_when_a_value_needs_it() {
    let mut shape = shape(&[], Some(existing(&[("n", ColumnType::Integer)])));
    let (schema, records) = batch(&[("n", Int64, &[true])]);
    assert_eq!(shape.plan(&schema, &records), []);
    let wide = Arc::new(Int64Array::from(vec![Some(1_i64 << 31)]));
    let records = with_first_column(&records, wide);
    assert_eq!(
        shape.plan(&schema, &records),
        [SchemaChange::WidenToBigint {
            column: "n".to_owned()
        }]
    );
    assert_eq!(shape.plan(&schema, &records), []);
}

#[test]
fn a_split_integer_is_as_wide_as_its_values() {
    for (value, split) in [(7_i64, "n__it"), (i64::MAX, "n__bi")] {
        let mut shape = shape(&[], Some(existing(&[("n", ColumnType::Text)])));
        let (schema, records) = batch(&[("n", Int64, &[true])]);
        let records = with_first_column(&records, Arc::new(Int64Array::from(vec![value])));
        shape.plan(&schema, &records);
        assert_eq!(target_names(&shape), [Some(split)]);
    }
}

#[test]
fn a_name_that_comes_with_two_types_is_split_at_creation() {
    let mut shape = shape(&["id"], None);
    let (schema, records) = batch(&[
        ("id", Int64, &[true, true]),
        ("v", Int64, &[true, false]),
        ("v", Text, &[false, true]),
    ]);
    let changes = shape.plan(&schema, &records);
    assert_eq!(changes.len(), 1);
    assert_eq!(
        target_names(&shape),
        [Some("id"), Some("v__bi"), Some("v__st")]
    );
    assert_eq!(shape.row_rejections(&records), []);
}

#[test]
fn a_key_of_another_type_ends_the_key() {
    let mut shape = shape(&["id"], Some(existing(&[("id", ColumnType::Integer)])));
    assert_eq!(shape.key_columns(), Some(vec!["id"]));
    let (schema, records) = batch(&[("id", Text, &[true])]);
    assert_eq!(
        shape.plan(&schema, &records),
        [
            SchemaChange::DropKey,
            rename("id", "id__it"),
            add("id__st", ColumnType::Text)
        ]
    );
    assert_eq!(shape.key_columns(), None);
}

#[test]
fn fields_of_one_destination_name_collide_only_where_both_are_set() {
    let mut shape = shape(&[], None);
    let (schema, records) = batch(&[
        ("a", Text, &[true, false, true]),
        ("a#", Text, &[false, true, true]),
    ]);
    shape.plan(&schema, &records);
    assert_eq!(target_names(&shape), [Some("a"), Some("a")]);
    let rejections = shape.row_rejections(&records);
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].row, 2);
    assert_eq!(rejections[0].reason.to_string(), "Field collision on a");
}

#[test]
fn case_makes_two_columns_only_where_the_destination_minds_it() {
    let (schema, records) = batch(&[("id", Text, &[true]), ("Id", Text, &[true])]);
    let mut postgres = shape(&[], None);
    postgres.plan(&schema, &records);
    assert_eq!(target_names(&postgres), [Some("id"), Some("Id")]);
    let mut sqlite = TableShape::new(&Dialect::SQLITE, "shop", "orders", &[], None).unwrap();
    sqlite.plan(&schema, &records);
    assert_eq!(target_names(&sqlite), [Some("id"), Some("id")]);
    assert_eq!(sqlite.row_rejections(&records).len(), 1);
}

#[test]
fn reserved_names_reject_only_records_with_a_value() {
    let mut shape = shape(&["id"], None);
    let (schema, records) = batch(&[
        ("id", Int32, &[true, true]),
        ("_sdc_x", Text, &[false, true]),
    ]);
    shape.plan(&schema, &records);
    let rejections = shape.row_rejections(&records);
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].row, 1);
}

#[test]
fn a_name_that_is_too_long_costs_the_column_not_the_record() {
    let mut shape = shape(&["id"], None);
    let long = "x".repeat(60);
    let (schema, records) = batch(&[("id", Int32, &[true]), (&long, Text, &[true])]);
    shape.plan(&schema, &records);
    assert!(matches!(
        shape.targets()[1],
        FieldTarget::RejectsColumn(Rejection::ColumnNameTooLong { .. })
    ));
    assert_eq!(shape.row_rejections(&records), []);
}

#[test]
fn records_that_need_a_column_beyond_the_limit_are_rejected() {
    let mut shape = shape(
        &["id"],
        Some(ExistingTable {
            used_slots: 1_600,
            ..existing(&[("id", ColumnType::Integer)])
        }),
    );
    let (schema, records) = batch(&[("id", Int32, &[true, true]), ("late", Text, &[false, true])]);
    assert_eq!(shape.plan(&schema, &records), []);
    let rejections = shape.row_rejections(&records);
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].reason.to_string(), "ERROR: too many columns");
}

#[test]
fn a_column_of_a_foreign_type_is_left_alone() {
    let mut table = existing(&[("id", ColumnType::Integer)]);
    table.columns.push(ExistingColumn {
        name: "area".to_owned(),
        column_type: None,
    });
    let mut shape = shape(&["id"], Some(table));
    let (schema, records) = batch(&[("area", Text, &[true])]);
    assert_eq!(
        shape.plan(&schema, &records),
        [add("area__st", ColumnType::Text)]
    );
}

#[test]
fn rows_without_a_complete_key_are_found() {
    let shape = shape(&["a", "b"], None);
    let (schema, records) = batch(&[
        ("a", Text, &[true, false, true, false]),
        ("b", Text, &[true, true, false, false]),
    ]);
    assert_eq!(shape.null_key_rows(&schema, &records), [1, 2, 3]);
    let (schema, records) = batch(&[("a", Text, &[true, true])]);
    assert_eq!(shape.null_key_rows(&schema, &records), [0, 1]);
}

#[test]
fn a_split_column_without_siblings_is_noticed() {
    let (schema, _) = batch(&[("id", Int32, &[true]), ("v", Text, &[true])]);
    let lone = |columns: &[(&str, ColumnType)]| {
        shape(&["id"], Some(existing(columns)))
            .lone_split_column(&schema)
            .map(str::to_owned)
    };
    let id = ("id", ColumnType::Integer);
    let text = ("v__st", ColumnType::Text);
    let integer = ("v__it", ColumnType::Integer);
    assert_eq!(lone(&[id.clone(), text.clone()]).as_deref(), Some("v__st"));
    assert_eq!(lone(&[id.clone(), text.clone(), integer]), None);
    assert_eq!(lone(&[id.clone(), ("v", ColumnType::Integer), text]), None);
    assert_eq!(lone(&[id]), None);
}

#[test]
fn a_table_can_be_created_for_records_of_nulls() {
    let mut shape = shape(&[], None);
    let (schema, records) = batch(&[("a", Text, &[false])]);
    assert_eq!(shape.plan(&schema, &records), []);
    let [SchemaChange::CreateTable { columns, .. }] = &shape.create()[..] else {
        panic!("not one creation");
    };
    assert_eq!(columns.len(), 6);
    assert!(shape.exists());
    let (_, records) = batch(&[("a", Text, &[true])]);
    assert_eq!(shape.plan(&schema, &records), [add("a", ColumnType::Text)]);
}
