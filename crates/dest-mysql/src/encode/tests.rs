use std::sync::Arc;

use arrow_array::ArrayRef;
use selvedge_connector::{Field, Sequences};
use selvedge_types::Timestamp;

use super::*;

fn line(logical_type: LogicalType, column_type: ColumnType, array: ArrayRef) -> String {
    let schema = StreamSchema::new(vec![Field::new("v", logical_type)]);
    let records = RecordBatch::try_new(schema.arrow_schema(), vec![array]).unwrap();
    let instant = Timestamp::parse("2031-02-03T04:05:06.789012Z").unwrap();
    let system = SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Each(Arc::from([None, None])),
        batched_at: instant,
        sequences: Sequences::From(-7),
        table_version: 5,
    };
    let column = TargetColumn {
        name: "v",
        column_type: &column_type,
        characters: None,
        fields: &[0],
    };
    let encoder = RowEncoder::new([column], &schema, &records, &system, 9, None).unwrap();
    let mut out = Vec::new();
    for row in 0..records.num_rows() {
        if let Err(reason) = encoder.encode(row, &mut out) {
            return reason.to_string();
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_line_holds_the_cells_and_the_system_columns() {
    let array = StringArray::from(vec![Some("a\tb\\N\n\0'\"é"), None]);
    let at = "2031-02-03 04:05:06.789012";
    assert_eq!(
        line(LogicalType::Text, ColumnType::Text, Arc::new(array)),
        format!("a\\tb\\\\N\\n\\0'\"é\t{at}\t\\N\t{at}\t5\t-7\n\\N\t{at}\t\\N\t{at}\t5\t-6\n")
    );
}

#[test]
fn instants_are_spelled_within_the_years_of_the_column() {
    let shown = |text: &str| {
        let micros = Timestamp::parse(text).unwrap().as_micros();
        let mut out = Vec::new();
        put_datetime(micros, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    for (instant, expected) in [
        ("1000-01-01T00:00:00Z", Some("1000-01-01 00:00:00.000000")),
        (
            "1969-12-31T23:59:59.999999Z",
            Some("1969-12-31 23:59:59.999999"),
        ),
        ("2000-02-29T12:00:00.5Z", Some("2000-02-29 12:00:00.500000")),
        (
            "9999-12-31T23:59:59.999999Z",
            Some("9999-12-31 23:59:59.999999"),
        ),
        ("0999-12-31T23:59:59.999999Z", None),
    ] {
        assert_eq!(shown(instant).as_deref(), expected, "{instant}");
    }
}

#[test]
fn numbers_have_their_shortest_exact_form() {
    for (value, expected) in [
        (0, "0"),
        (-1, "-1"),
        (i64::MAX, "9223372036854775807"),
        (i64::MIN, "-9223372036854775808"),
    ] {
        let mut out = Vec::new();
        put_integer(value, &mut out);
        assert_eq!(out, expected.as_bytes());
    }
    for (value, expected) in [
        (0.1, "1e-1"),
        (-0.0, "-0e0"),
        (f64::MAX, "1.7976931348623157e308"),
        (5e-324, "5e-324"),
        (f64::NAN, "\\N"),
    ] {
        let mut out = Vec::new();
        put_float(value, &mut out);
        assert_eq!(out, expected.as_bytes());
    }
}

#[test]
fn values_out_of_range_have_the_documented_reasons() {
    let micros = Timestamp::parse("0999-12-31T00:00:00Z")
        .unwrap()
        .as_micros();
    for (logical_type, column_type, array, reason) in [
        (
            LogicalType::Int64,
            ColumnType::Integer,
            Arc::new(Int64Array::from(vec![i64::MAX])) as ArrayRef,
            "integer out of range for MySQL on [v]",
        ),
        (
            LogicalType::DecimalText,
            ColumnType::Decimal,
            Arc::new(StringArray::from(vec!["1".repeat(33)])),
            "decimal out of range for MySQL on [v]",
        ),
        (
            LogicalType::Timestamp,
            ColumnType::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![micros])),
            "timestamp out of range for MySQL on [v]",
        ),
        (
            LogicalType::Json,
            ColumnType::Json,
            Arc::new(StringArray::from(vec!["{"])),
            "value not valid for MySQL on [v]",
        ),
    ] {
        assert_eq!(line(logical_type, column_type, array), reason);
    }
}
