use std::sync::Arc;

use arrow_array::ArrayRef;
use selvedge_connector::{Field, Sequences};
use selvedge_types::Timestamp;

use super::*;

fn schema(fields: &[(&str, LogicalType)]) -> Arc<StreamSchema> {
    StreamSchema::new(
        fields
            .iter()
            .map(|(name, logical_type)| Field::new(*name, logical_type.clone()))
            .collect(),
    )
}

fn system_values() -> SystemValues {
    let instant = Timestamp::from_micros(EPOCH_MICROS + 1);
    SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: Sequences::From(100),
        table_version: 7,
    }
}

#[test]
fn a_row_has_its_count_its_cells_and_the_system_columns() {
    let schema = schema(&[("id", LogicalType::Int32), ("name", LogicalType::Text)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), Some(-2)])),
        Arc::new(StringArray::from(vec![Some("a\0b"), None])),
    ];
    let records = RecordBatch::try_new(schema.arrow_schema(), columns).unwrap();
    let columns = [
        ("id", &ColumnType::Integer, &[0][..]),
        ("name", &ColumnType::Text, &[1][..]),
    ];
    let system = system_values();
    let mut encoder = RowEncoder::new(columns, &schema, &records, &system, None, None).unwrap();
    let mut out = Vec::new();
    encoder.encode(1, &mut out).unwrap();
    let mut expected = vec![0, 7];
    expected.extend([0, 0, 0, 4, 255, 255, 255, 254]);
    expected.extend(NULL);
    for value in [1_i64, 1, 1, 7, 101] {
        put8(&mut expected, value.to_be_bytes());
    }
    assert_eq!(out, expected);
    out.clear();
    encoder.encode(0, &mut out).unwrap();
    assert_eq!(out[10..16], [0, 0, 0, 2, b'a', b'b']);
}

#[test]
fn a_value_that_does_not_fit_leaves_no_trace_of_its_row() {
    let schema = schema(&[("n", LogicalType::Int64), ("d", LogicalType::DecimalText)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 1 << 40])),
        Arc::new(StringArray::from(vec!["1e5", "1"])),
    ];
    let records = RecordBatch::try_new(schema.arrow_schema(), columns).unwrap();
    let columns = [
        ("n", &ColumnType::Integer, &[0][..]),
        ("d", &ColumnType::Decimal, &[1][..]),
    ];
    let system = system_values();
    let mut encoder = RowEncoder::new(columns, &schema, &records, &system, None, None).unwrap();
    let mut out = vec![9];
    assert_eq!(
        encoder.encode(0, &mut out).unwrap_err().to_string(),
        "decimal out of range for PostgreSQL on [d]"
    );
    assert_eq!(
        encoder.encode(1, &mut out).unwrap_err().to_string(),
        "integer out of range for PostgreSQL on [n]"
    );
    assert_eq!(out, [9]);
}

#[test]
fn a_batch_of_other_arrays_than_announced_is_an_error() {
    let announced = schema(&[("n", LogicalType::Int64)]);
    let came = schema(&[("n", LogicalType::Text)]);
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec!["1"]))];
    let records = RecordBatch::try_new(came.arrow_schema(), columns).unwrap();
    let columns = [("n", &ColumnType::BigInt, &[0][..])];
    assert!(RowEncoder::new(columns, &announced, &records, &system_values(), None, None).is_err());
}

#[test]
fn instants_outside_the_servers_range_are_refused() {
    let mut out = Vec::new();
    assert!(put_timestamp(&mut out, 0).is_ok());
    // 4714 BC, and what would underflow.
    for outside in [EPOCH_MICROS + TIMESTAMP_RANGE.start - 1, i64::MIN] {
        assert_eq!(put_timestamp(&mut out, outside), Err(BadValue::Timestamp));
    }
}
