//! Every logical type there and back, compared with what the server itself makes of the text.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use selvedge_connector::{LoadMode, LogicalType};

use crate::support::{Warehouse, batch_from};

/// One column: its type, its values, the server's type and the values as the server prints them.
struct Case {
    logical_type: LogicalType,
    array: ArrayRef,
    sql_type: &'static str,
    expected: Vec<&'static str>,
}

fn case(
    logical_type: LogicalType,
    array: impl arrow_array::Array + 'static,
    sql_type: &'static str,
    expected: &[&'static str],
) -> Case {
    Case {
        logical_type,
        array: Arc::new(array),
        sql_type,
        expected: expected.to_vec(),
    }
}

fn array_of(item: LogicalType) -> LogicalType {
    LogicalType::Array {
        item: Box::new(item),
    }
}

fn cases() -> Vec<Case> {
    let decimal = |precision, scale| LogicalType::Decimal { precision, scale };
    let huge: i256 = i256::from_string(&"9".repeat(76)).unwrap();
    vec![
        case(
            LogicalType::Boolean,
            BooleanArray::from(vec![Some(true), Some(false), None]),
            "boolean",
            &["true", "false", "-"],
        ),
        case(
            LogicalType::Int16,
            Int16Array::from(vec![Some(i16::MIN), Some(i16::MAX), None]),
            "integer",
            &["-32768", "32767", "-"],
        ),
        case(
            LogicalType::Int32,
            Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None]),
            "integer",
            &["-2147483648", "2147483647", "-"],
        ),
        case(
            LogicalType::Int64,
            Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]),
            "bigint",
            &["-9223372036854775808", "9223372036854775807", "-"],
        ),
        case(
            LogicalType::Float32,
            Float32Array::from(vec![Some(0.5), Some(-1.5e30), None]),
            "double precision",
            &["0.5", "-1.4999999470133356e+30", "-"],
        ),
        case(
            LogicalType::Float64,
            Float64Array::from(vec![Some(0.1), Some(-0.0), None]),
            "double precision",
            &["0.1", "-0", "-"],
        ),
        case(
            decimal(20, 4),
            Decimal128Array::from(vec![Some(-125_000), Some(0), None])
                .with_precision_and_scale(20, 4)
                .unwrap(),
            "numeric",
            &["-12.5000", "0.0000", "-"],
        ),
        case(
            decimal(5, -2),
            Decimal128Array::from(vec![Some(12), Some(-7), None])
                .with_precision_and_scale(5, -2)
                .unwrap(),
            "numeric",
            &["1200", "-700", "-"],
        ),
        case(
            decimal(76, 10),
            Decimal256Array::from(vec![Some(huge), Some(i256::from_i128(-1)), None])
                .with_precision_and_scale(76, 10)
                .unwrap(),
            "numeric",
            &[
                "999999999999999999999999999999999999999999999999999999999999999999.9999999999",
                "-0.0000000001",
                "-",
            ],
        ),
        case(
            LogicalType::DecimalText,
            StringArray::from(vec![
                Some("-123456789012345678901234567890.000000000000000000000000000001000"),
                Some("0"),
                None,
            ]),
            "numeric",
            &[
                "-123456789012345678901234567890.000000000000000000000000000001000",
                "0",
                "-",
            ],
        ),
        case(
            LogicalType::Text,
            StringArray::from(vec![Some("\\N\t\"é\0日\""), Some(""), None]),
            "text",
            &["\\N\t\"é日\"", "", "-"],
        ),
        case(
            LogicalType::Timestamp,
            TimestampMicrosecondArray::from(vec![
                Some(-62_135_596_800_000_000),
                Some(253_402_300_799_999_999),
                None,
            ]),
            "timestamp without time zone",
            &["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "-"],
        ),
        case(
            LogicalType::Date,
            Date32Array::from(vec![Some(-719_162), Some(2_932_896), None]),
            "date",
            &["0001-01-01", "9999-12-31", "-"],
        ),
        case(
            LogicalType::TimestampTz,
            TimestampMicrosecondArray::from(vec![Some(0), Some(1), None]).with_timezone("UTC"),
            "timestamp with time zone",
            &[
                "1970-01-01 00:00:00+00",
                "1970-01-01 00:00:00.000001+00",
                "-",
            ],
        ),
        case(
            LogicalType::Uuid,
            FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                vec![Some([0_u8; 16]), Some([0xab; 16]), None].into_iter(),
                16,
            )
            .unwrap(),
            "uuid",
            &[
                "00000000-0000-0000-0000-000000000000",
                "abababab-abab-abab-abab-abababababab",
                "-",
            ],
        ),
        case(
            LogicalType::Bytes,
            BinaryArray::from(vec![
                Some(b"\x00\xff".as_slice()),
                Some(b"".as_slice()),
                None,
            ]),
            "bytea",
            &["\\x00ff", "\\x", "-"],
        ),
        case(
            LogicalType::Json,
            StringArray::from(vec![
                Some(r#"{"a":[1,2.50,"x\u0000y"]}"#),
                Some("null"),
                None,
            ]),
            "jsonb",
            &[r#"{"a": [1, 2.50, "xy"]}"#, "null", "-"],
        ),
        case(
            array_of(LogicalType::Int32),
            StringArray::from(vec![
                Some("{1,NULL,-3}"),
                Some("[0:1][2:3]={{1,2},{3,4}}"),
                None,
            ]),
            "integer[]",
            &["{1,NULL,-3}", "[0:1][2:3]={{1,2},{3,4}}", "-"],
        ),
        case(
            array_of(LogicalType::Text),
            StringArray::from(vec![
                Some(r#"{a,"b \"c\" \\ ,}","NULL",""}"#),
                Some("{}"),
                None,
            ]),
            "text[]",
            &[r#"{a,"b \"c\" \\ ,}","NULL",""}"#, "{}", "-"],
        ),
        case(
            array_of(LogicalType::DecimalText),
            StringArray::from(vec![
                Some("{1.50,-0.001,NaN}"),
                Some("{12345678901234567890}"),
                None,
            ]),
            "numeric[]",
            &["{1.50,-0.001,NaN}", "{12345678901234567890}", "-"],
        ),
        case(
            array_of(LogicalType::Timestamp),
            StringArray::from(vec![
                Some(r#"{"2024-02-29 23:59:59.000001",infinity}"#),
                Some(r#"{"0044-03-15 12:00:00 BC"}"#),
                None,
            ]),
            "timestamp without time zone[]",
            &[
                r#"{"2024-02-29 23:59:59.000001",infinity}"#,
                r#"{"0044-03-15 12:00:00 BC"}"#,
                "-",
            ],
        ),
        case(
            array_of(LogicalType::TimestampTz),
            StringArray::from(vec![Some(r#"{"2024-02-29 23:59:59+00"}"#), None, None]),
            "timestamp with time zone[]",
            &[r#"{"2024-02-29 23:59:59+00"}"#, "-", "-"],
        ),
        case(
            array_of(LogicalType::Date),
            StringArray::from(vec![Some("{1999-12-31,2000-03-01,0001-01-01}"), None, None]),
            "date[]",
            &["{1999-12-31,2000-03-01,0001-01-01}", "-", "-"],
        ),
        case(
            array_of(LogicalType::Uuid),
            StringArray::from(vec![
                Some("{abababab-abab-abab-abab-abababababab}"),
                None,
                None,
            ]),
            "uuid[]",
            &["{abababab-abab-abab-abab-abababababab}", "-", "-"],
        ),
        case(
            array_of(LogicalType::Bytes),
            StringArray::from(vec![Some(r#"{"\\x00ff","\\x"}"#), None, None]),
            "bytea[]",
            &[r#"{"\\x00ff","\\x"}"#, "-", "-"],
        ),
        case(
            array_of(LogicalType::Boolean),
            StringArray::from(vec![Some("{t,f,NULL}"), None, None]),
            "boolean[]",
            &["{t,f,NULL}", "-", "-"],
        ),
        case(
            array_of(LogicalType::Float64),
            StringArray::from(vec![Some("{0.1,-1e+300,NaN}"), None, None]),
            "double precision[]",
            &["{0.1,-1e+300,NaN}", "-", "-"],
        ),
        case(
            array_of(LogicalType::Json),
            StringArray::from(vec![Some(r#"{"{\"a\": 1}"}"#), None, None]),
            "jsonb[]",
            &[r#"{"{\"a\": 1}"}"#, "-", "-"],
        ),
    ]
}

#[tokio::test]
async fn every_type_arrives_unchanged() {
    let warehouse = Warehouse::create().await;
    let cases = cases();
    // A first load, an upsert and a replacement over one another: each way in must keep the values.
    for (round, mode) in [LoadMode::Merge, LoadMode::Merge, LoadMode::Replace]
        .into_iter()
        .enumerate()
    {
        let mut fields: Vec<(String, LogicalType, ArrayRef)> = vec![(
            "id".to_owned(),
            LogicalType::Int32,
            Arc::new(Int32Array::from(vec![0, 1, 2])),
        )];
        for (column, case) in cases.iter().enumerate() {
            fields.push((
                format!("c{column}"),
                case.logical_type.clone(),
                Arc::clone(&case.array),
            ));
        }
        let batch = batch_from(fields, 100 * (i64::try_from(round).unwrap() + 1));
        let report = warehouse
            .run(warehouse.target(&["id"], mode), vec![batch])
            .await;
        assert_eq!(report.books.written, 3, "round {round}");
        for (column, case) in cases.iter().enumerate() {
            let kind = warehouse
                .rows(&format!(
                    "select format_type(atttypid, atttypmod) from pg_attribute
                     where attrelid = 'shop.orders'::regclass and attname = 'c{column}'"
                ))
                .await;
            assert_eq!(kind, [case.sql_type], "{:?}", case.logical_type);
            warehouse
                .client
                .batch_execute("set timezone = 'UTC'")
                .await
                .unwrap();
            let values = warehouse
                .rows(&format!(
                    "select c{column}::text as v from shop.orders order by id"
                ))
                .await;
            assert_eq!(values, case.expected, "{:?}", case.logical_type);
        }
    }
}

#[tokio::test]
async fn a_json_value_that_jsonb_cannot_hold_rejects_its_record() {
    let warehouse = Warehouse::create().await;
    let batch = batch_from(
        vec![
            (
                "id",
                LogicalType::Int32,
                Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef,
            ),
            (
                "doc",
                LogicalType::Json,
                Arc::new(StringArray::from(vec![r#""\ud800""#, "1"])) as ArrayRef,
            ),
        ],
        1,
    );
    let report = warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
}
