//! Values on their way through the documented types.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use selvedge_connector::{
    Field, Instants, LogicalType, Sequences, ShapedBatch, StreamSchema, SystemValues,
};
use selvedge_types::Timestamp;

use super::{Subject, TABLE, declared, json, merge, run};

/// One column of each type that all destinations have, with its limits; as native sources send them.
pub async fn values_survive_the_journey(subject: &impl Subject) {
    let instant = |text: &str| Timestamp::parse(text).unwrap().as_micros();
    let decimal = LogicalType::Decimal {
        precision: 12,
        scale: 3,
    };
    let decimals = Decimal128Array::from(vec![Some(-123_456_789_012), Some(1_500), None]);
    let columns: Vec<(&str, LogicalType, ArrayRef, [&str; 3])> = vec![
        (
            "id",
            LogicalType::Int32,
            Arc::new(Int32Array::from(vec![1, 2, 3])),
            ["1", "2", "3"],
        ),
        (
            "yes",
            LogicalType::Boolean,
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            ["true", "false", "-"],
        ),
        (
            "small",
            LogicalType::Int16,
            Arc::new(Int16Array::from(vec![Some(i16::MIN), Some(i16::MAX), None])),
            ["-32768", "32767", "-"],
        ),
        (
            "middle",
            LogicalType::Int32,
            Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None])),
            ["-2147483648", "2147483647", "-"],
        ),
        (
            "large",
            LogicalType::Int64,
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
            ["-9223372036854775808", "9223372036854775807", "-"],
        ),
        (
            "double",
            LogicalType::Float64,
            Arc::new(Float64Array::from(vec![Some(0.1), Some(-2.5), None])),
            ["0.1", "-2.5", "-"],
        ),
        (
            "exact",
            decimal.clone(),
            Arc::new(decimals.with_precision_and_scale(12, 3).unwrap()),
            ["-123456789.012", "1.5", "-"],
        ),
        (
            "text",
            LogicalType::Text,
            Arc::new(StringArray::from(vec![
                Some("a|b\\\t\"'\r\n"),
                Some(""),
                None,
            ])),
            ["a|b\\\t\"'\r\n", "", "-"],
        ),
        (
            "instant",
            LogicalType::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(instant("2024-05-01T08:00:00.000001Z")),
                Some(instant("1969-12-31T23:59:59Z")),
                None,
            ])),
            ["2024-05-01T08:00:00.000001", "1969-12-31T23:59:59", "-"],
        ),
    ];
    let fields = columns
        .iter()
        .map(|(name, logical_type, _, _)| Field::new(*name, logical_type.clone()))
        .collect();
    let schema = StreamSchema::new(fields);
    let arrays = columns.iter().map(|(_, _, array, _)| Arc::clone(array));
    let records = RecordBatch::try_new(schema.arrow_schema(), arrays.collect()).unwrap();
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    let system = SystemValues {
        extracted_at: Instants::Same(Some(now)),
        received_at: Instants::Same(Some(now)),
        batched_at: now,
        sequences: Sequences::From(1_700_000_000_000_000_000),
        table_version: 0,
    };
    let batch = ShapedBatch::of_columns(schema, records, system);
    let target = merge(subject, &["id"]);
    run(subject, &target, vec![vec![batch]]).await;
    let stored = subject.stored(TABLE).await.unwrap();
    for (name, _, _, expected) in &columns {
        let of_column: Vec<String> = (0..3)
            .map(|row| format!("{}|{}", row + 1, expected[row]))
            .collect();
        assert_eq!(stored.show(&["id", name]), of_column, "{name}");
    }
    assert_eq!(
        stored.show(&["_sdc_sequence", "_sdc_extracted_at"]),
        [0, 1, 2].map(|row| format!("170000000000000000{row}|2023-11-14T22:13:20"))
    );
}

/// Texts of all kinds, large ones among them, and declared types that only JSON Schema knows.
pub async fn texts_survive_the_journey(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let large = "x\u{1F600}".repeat(1 << 18);
    let records = [
        format!(r#"{{"id":1,"v":"{large}"}}"#),
        r#"{"id":2,"v":"tab\t, line\n, quote\", backslash\\, \\N"}"#.to_owned(),
        r#"{"id":3,"v":"null"}"#.to_owned(),
    ];
    let records: Vec<(i64, &str)> = (1..).zip(records.iter().map(String::as_str)).collect();
    let typed = serde_json::json!({"type": "object", "properties": {
        "id": {"type": "integer"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "fee": {"type": ["null", "number"], "multipleOf": 0.01},
    }});
    let batches = vec![
        json(subject, &target, &records),
        declared(
            subject,
            &target,
            &typed,
            &[(
                9,
                r#"{"id":4,"at":"2024-05-01T10:00:00+02:00","fee":12.50}"#,
            )],
        ),
    ];
    run(subject, &target, vec![batches]).await;
    let stored = subject.stored(TABLE).await.unwrap();
    assert_eq!(
        stored.show(&["id", "v"]),
        [
            format!("1|{large}"),
            "2|tab\t, line\n, quote\", backslash\\, \\N".to_owned(),
            "3|null".to_owned(),
            "4|-".to_owned(),
        ]
    );
    let instant = match subject.character().keeps_json {
        false => "2024-05-01T08:00:00",
        true => "2024-05-01T10:00:00+02:00",
    };
    assert_eq!(
        stored.show(&["id", "at", "fee"])[3],
        format!("4|{instant}|12.5")
    );
}
