//! The shaper against a slow model that takes parsed values apart.

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use proptest::prelude::*;
use selvedge_connector::LogicalType;
use serde_json::{Map, Value};

use super::*;

/// Table path, root row, levels, way to the value and its type → the value.
type Cells = BTreeMap<(Vec<String>, u32, Vec<i32>, Vec<String>, String), String>;
/// Table path, root row, levels.
type Rows = Vec<(Vec<String>, u32, Vec<i32>)>;

fn json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("a"),
        Just("b"),
        Just("value"),
        Just("ä \"\\"),
        Just("")
    ];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9_f64..1e9).prop_map(|number| Value::from(number + 0.5)),
        "[a-c\\\\\"\\n\\u{1}ü😀]{0,12}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..4).prop_map(|members| {
                let members: Map<String, Value> = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                Value::from(members)
            }),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("id"), Just("a"), Just("b"), Just("c")];
    prop::collection::vec((name, json()), 0..5).prop_map(|members| {
        let members: Map<String, Value> = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Value::from(members)
    })
}

struct Model {
    cells: Cells,
    rows: Rows,
}

impl Model {
    fn value(
        &mut self,
        table: &[String],
        root: u32,
        levels: &[i32],
        way: &[String],
        value: &Value,
    ) {
        match value {
            Value::Null => {}
            Value::Object(members) => {
                for (name, value) in members {
                    let way: Vec<String> = way.iter().cloned().chain([name.clone()]).collect();
                    self.value(table, root, levels, &way, value);
                }
            }
            Value::Array(items) => {
                // An item that is an array itself has no way of its own.
                let name = if way.is_empty() {
                    vec!["value".to_owned()]
                } else {
                    way.to_vec()
                };
                let table: Vec<String> = table.iter().cloned().chain(name).collect();
                for (index, item) in items.iter().enumerate() {
                    let levels: Vec<i32> = levels.iter().copied().chain([index as i32]).collect();
                    self.rows.push((table.clone(), root, levels.clone()));
                    self.value(&table, root, &levels, &[], item);
                }
            }
            scalar => {
                let way = if way.is_empty() {
                    vec!["value".to_owned()]
                } else {
                    way.to_vec()
                };
                let kind = match scalar {
                    Value::Bool(_) => "Boolean",
                    Value::String(_) => "Text",
                    number if number.is_i64() => "Int64",
                    _ => "Float64",
                };
                let text = scalar
                    .as_str()
                    .map_or_else(|| scalar.to_string(), str::to_owned);
                let cell = (table.to_vec(), root, levels.to_vec(), way, kind.to_owned());
                self.cells.insert(cell, text);
            }
        }
    }
}

fn cell(logical_type: &LogicalType, array: &dyn Array, row: usize) -> String {
    match logical_type {
        LogicalType::Boolean => array.as_boolean().value(row).to_string(),
        LogicalType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        LogicalType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        LogicalType::Float64 => {
            Value::from(array.as_primitive::<Float64Type>().value(row)).to_string()
        }
        _ => array.as_string::<i32>().value(row).to_owned(),
    }
}

fn collect(
    into: &mut Cells,
    path: &[String],
    schema: &selvedge_connector::StreamSchema,
    records: &arrow_array::RecordBatch,
    place: impl Fn(usize) -> (u32, Vec<i32>),
) {
    for (field, column) in schema.fields.iter().zip(records.columns()) {
        let way: Vec<String> = [&field.name]
            .into_iter()
            .chain(&field.inside)
            .cloned()
            .collect();
        for row in (0..records.num_rows()).filter(|row| !column.is_null(*row)) {
            let (root, levels) = place(row);
            let kind = format!("{:?}", field.logical_type).replace("Int32", "Int64");
            let text = cell(&field.logical_type, column.as_ref(), row);
            let known = into.insert((path.to_vec(), root, levels, way.clone(), kind), text);
            assert_eq!(known, None, "two values in one place");
        }
    }
}

proptest! {
    #[test]
    fn batches_hold_what_the_model_says(
        records in prop::collection::vec(record(), 1..8),
        pretty in any::<bool>(),
        cut in 0_usize..8,
    ) {
        let mut shaper = shaper(Nesting::Subtables, &[]);
        for chunk in [&records[..cut.min(records.len())], &records[cut.min(records.len())..]] {
            let mut model = Model { cells: Cells::new(), rows: Rows::new() };
            for (root, record) in chunk.iter().enumerate() {
                let text = match pretty {
                    true => serde_json::to_string_pretty(record).unwrap(),
                    false => record.to_string(),
                };
                prop_assert!(shaper.push(&text).unwrap());
                model.value(&[], root as u32, &[], &[], record);
            }
            let batch = finished(&mut shaper);
            prop_assert_eq!(batch.records.num_rows(), chunk.len());
            let mut cells = Cells::new();
            let mut rows = Rows::new();
            collect(&mut cells, &[], &batch.schema, &batch.records, |row| (row as u32, Vec::new()));
            for subtable in &batch.subtables {
                let place = |row: usize| {
                    let levels = subtable.levels.iter().map(|level| level[row]).collect();
                    (subtable.root_rows[row], levels)
                };
                collect(&mut cells, &subtable.path, &subtable.schema, &subtable.records, place);
                rows.extend((0..subtable.records.num_rows()).map(|row| {
                    let (root, levels) = place(row);
                    (subtable.path.clone(), root, levels)
                }));
            }
            prop_assert_eq!(&cells, &model.cells);
            rows.sort();
            model.rows.sort();
            prop_assert_eq!(&rows, &model.rows);
        }
    }

    #[test]
    fn no_text_is_taken_that_a_parser_refuses(text in "[\\[\\]{},:\"\\\\a0-9eE.+\\- ntrufalsd\\u{1}]{0,24}") {
        let record = format!("{{\"a\":{text}}}");
        let mut shaper = shaper(Nesting::Subtables, &[]);
        let taken = shaper.push(&record);
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&record);
        prop_assert_eq!(taken.is_ok(), parsed.is_ok(), "{}: {:?} {:?}", record, taken, parsed);
    }
}
