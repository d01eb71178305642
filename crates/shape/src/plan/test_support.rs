//! Batches and tables for the planner's tests.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_array::{BooleanArray, Float64Array, Int32Array, Int64Array, StringArray};
use selvedge_connector::{Field, LogicalType, StreamSchema};

use crate::{ColumnType, Dialect, ExistingColumn, ExistingTable, TableShape};

pub(crate) type Fields<'a> = &'a [(&'a str, LogicalType, &'a [bool])];

/// A batch in which the rows marked `true` have some value of the type.
pub(crate) fn batch(fields: Fields<'_>) -> (Arc<StreamSchema>, RecordBatch) {
    let schema = StreamSchema::new(
        fields
            .iter()
            .map(|(name, logical_type, _)| Field::new(*name, logical_type.clone()))
            .collect(),
    );
    let columns = fields
        .iter()
        .map(|(_, logical_type, set)| array(logical_type, set))
        .collect();
    let records = RecordBatch::try_new(schema.arrow_schema(), columns).unwrap();
    (schema, records)
}

fn array(logical_type: &LogicalType, set: &[bool]) -> ArrayRef {
    match logical_type {
        LogicalType::Boolean => Arc::new(
            set.iter()
                .map(|set| set.then_some(true))
                .collect::<BooleanArray>(),
        ),
        LogicalType::Int32 => Arc::new(
            set.iter()
                .map(|set| set.then_some(7))
                .collect::<Int32Array>(),
        ),
        LogicalType::Int64 => Arc::new(
            set.iter()
                .map(|set| set.then_some(7))
                .collect::<Int64Array>(),
        ),
        LogicalType::Float64 => Arc::new(
            set.iter()
                .map(|set| set.then_some(7.5))
                .collect::<Float64Array>(),
        ),
        LogicalType::Text | LogicalType::DecimalText => Arc::new(
            set.iter()
                .map(|set| set.then_some("7"))
                .collect::<StringArray>(),
        ),
        other => new_null_array(&other.arrow_type(), set.len()),
    }
}

/// Replaces the first column of a batch.
pub(crate) fn with_first_column(records: &RecordBatch, column: ArrayRef) -> RecordBatch {
    let mut columns = records.columns().to_vec();
    columns[0] = column;
    RecordBatch::try_new(records.schema(), columns).unwrap()
}

pub(crate) fn existing(columns: &[(&str, ColumnType)]) -> ExistingTable {
    ExistingTable {
        columns: columns
            .iter()
            .map(|(name, column_type)| ExistingColumn {
                name: (*name).to_owned(),
                column_type: Some(column_type.clone()),
            })
            .collect(),
        used_slots: columns.len(),
    }
}

pub(crate) fn shape(key: &[&str], existing: Option<ExistingTable>) -> TableShape {
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    TableShape::new(&Dialect::POSTGRES, "shop", "orders", &key, existing).unwrap()
}
