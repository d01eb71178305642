//! Every logical type there and back, as the server itself prints the values.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Decimal256Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use selvedge_connector::{LoadMode, LogicalType};

use crate::support::{Warehouse, batch_from, int, text};

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

fn cases() -> Vec<Case> {
    let decimal = |precision, scale| LogicalType::Decimal { precision, scale };
    let wide: i256 = i256::from_string(&format!("{}5", "9".repeat(30))).unwrap();
    vec![
        case(
            LogicalType::Boolean,
            BooleanArray::from(vec![Some(true), Some(false), None]),
            "tinyint(1)",
            &["1", "0", "-"],
        ),
        case(
            LogicalType::Int16,
            Int16Array::from(vec![Some(i16::MIN), Some(i16::MAX), None]),
            "int(11)",
            &["-32768", "32767", "-"],
        ),
        case(
            LogicalType::Int32,
            Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None]),
            "int(11)",
            &["-2147483648", "2147483647", "-"],
        ),
        case(
            LogicalType::Int64,
            Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]),
            "bigint(20)",
            &["-9223372036854775808", "9223372036854775807", "-"],
        ),
        case(
            LogicalType::Float32,
            Float32Array::from(vec![Some(0.5), Some(-1.5e30), None]),
            "double",
            &["0.5", "-1.4999999470133356e30", "-"],
        ),
        case(
            LogicalType::Float64,
            Float64Array::from(vec![Some(0.1), Some(f64::MAX), None]),
            "double",
            &["0.1", "1.7976931348623157e308", "-"],
        ),
        case(
            LogicalType::Float64,
            Float64Array::from(vec![Some(f64::MIN_POSITIVE), Some(-0.0), None]),
            "double",
            &["2.2250738585072014e-308", "0", "-"],
        ),
        case(
            decimal(20, 4),
            Decimal128Array::from(vec![Some(-125_000), Some(0), None])
                .with_precision_and_scale(20, 4)
                .unwrap(),
            "decimal(38,6)",
            &["-12.500000", "0.000000", "-"],
        ),
        case(
            decimal(5, -2),
            Decimal128Array::from(vec![Some(12), Some(-7), None])
                .with_precision_and_scale(5, -2)
                .unwrap(),
            "decimal(38,6)",
            &["1200.000000", "-700.000000", "-"],
        ),
        case(
            decimal(76, 7),
            Decimal256Array::from(vec![Some(wide), Some(i256::from_i128(-5)), None])
                .with_precision_and_scale(76, 7)
                .unwrap(),
            "decimal(38,6)",
            &["1000000000000000000000000.000000", "0.000000", "-"],
        ),
        case(
            LogicalType::DecimalText,
            StringArray::from(vec![
                Some("-99999999999999999999999999999999.999999"),
                Some("0.0000015"),
                None,
            ]),
            "decimal(38,6)",
            &["-99999999999999999999999999999999.999999", "0.000002", "-"],
        ),
        case(
            LogicalType::Text,
            StringArray::from(vec![Some("\\N\t\"é\r\n日'"), Some(""), None]),
            "longtext",
            &["\\N\t\"é\r\n日'", "", "-"],
        ),
        case(
            LogicalType::Text,
            StringArray::from(vec![Some("\\N"), Some("NULL"), Some("a\\")]),
            "longtext",
            &["\\N", "NULL", "a\\"],
        ),
        case(
            LogicalType::Timestamp,
            TimestampMicrosecondArray::from(vec![
                Some(-30_610_224_000_000_000),
                Some(253_402_300_799_999_999),
                None,
            ]),
            "datetime(6)",
            &[
                "1000-01-01 00:00:00.000000",
                "9999-12-31 23:59:59.999999",
                "-",
            ],
        ),
        case(
            LogicalType::Json,
            StringArray::from(vec![
                Some(r#"{"b":[1,2.50,"x\u0000\n\\y"],"a":{}}"#),
                Some("null"),
                None,
            ]),
            "longtext",
            &[r#"{"b":[1,2.50,"x\u0000\n\\y"],"a":{}}"#, "null", "-"],
        ),
        case(
            LogicalType::JsonArray {
                item: Box::new(LogicalType::Text),
            },
            StringArray::from(vec![Some(r#"["\ud83d\ude00","é"]"#), Some("[]"), None]),
            "longtext",
            &[r#"["\ud83d\ude00","é"]"#, "[]", "-"],
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
                    "select column_type from information_schema.columns
                     where table_schema = '{}' and table_name = 'orders' and column_name = 'c{column}'",
                    warehouse.schema.name
                ))
                .await;
            assert_eq!(kind, [case.sql_type], "{:?}", case.logical_type);
            let values = warehouse
                .rows(&format!("select c{column} from shop.orders order by id"))
                .await;
            let values: Vec<&str> = values.iter().map(|value| without_sign(value)).collect();
            assert_eq!(values, case.expected, "{:?}", case.logical_type);
        }
    }
}

/// Some versions of the server keep the sign of zero, others do not.
fn without_sign(value: &str) -> &str {
    match value {
        "-0" => "0",
        value => value,
    }
}

#[tokio::test]
async fn every_byte_survives_the_escapes() {
    let warehouse = Warehouse::create().await;
    // All that a line could trip over, next to one another in every order.
    let hostile = [
        '\\',
        '\t',
        '\n',
        '\r',
        '\0',
        'N',
        '\'',
        '"',
        ',',
        '\u{8}',
        '\u{1a}',
        'é',
        '\u{10ffff}',
    ];
    let mut texts = Vec::new();
    for first in hostile {
        for second in hostile {
            for third in hostile {
                texts.push(String::from_iter([first, second, third]));
            }
        }
    }
    let ids: Vec<Option<i32>> = (0..).take(texts.len()).map(Some).collect();
    let values: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = warehouse.batch(vec![int("id", &ids), text("v", &values)]);
    warehouse.run(target, vec![batch]).await;
    let arrived = warehouse
        .rows("select hex(v) from shop.orders order by id")
        .await;
    let expected: Vec<String> = texts
        .iter()
        .map(|text| text.bytes().map(|byte| format!("{byte:02X}")).collect())
        .collect();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn values_out_of_range_reject_their_records_and_no_others() {
    let warehouse = Warehouse::create().await;
    let ids = [1, 2, 3, 4, 5].map(Some);
    let micros = [None, None, Some(-30_610_224_000_000_001), None, Some(0)];
    let decimals = [
        None,
        Some("100000000000000000000000000000000"),
        None,
        None,
        Some("1"),
    ];
    let docs = [Some(r#""\ud800""#), None, None, Some("{"), Some("{}")];
    let (id, id_type, id_array) = int("id", &ids);
    let batch = batch_from(
        vec![
            (id, id_type, id_array),
            (
                "at",
                LogicalType::Timestamp,
                Arc::new(TimestampMicrosecondArray::from(micros.to_vec())) as ArrayRef,
            ),
            (
                "fee",
                LogicalType::DecimalText,
                Arc::new(StringArray::from(decimals.to_vec())),
            ),
            (
                "doc",
                LogicalType::Json,
                Arc::new(StringArray::from(docs.to_vec())),
            ),
        ],
        1,
    );
    let report = warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 4));
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        [
            "value not valid for MySQL on [doc]",
            "decimal out of range for MySQL on [fee]",
            "timestamp out of range for MySQL on [at]",
            "value not valid for MySQL on [doc]",
        ]
    );
}

#[tokio::test]
async fn json_is_found_again_as_json_and_splits_from_text() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let json = |id, doc| {
        let (name, id_type, ids) = int("id", &[Some(id)]);
        let docs = Arc::new(StringArray::from(vec![doc])) as ArrayRef;
        batch_from(
            vec![(name, id_type, ids), ("doc", LogicalType::Json, docs)],
            i64::from(id) * 10,
        )
    };
    for id in [1, 2] {
        warehouse
            .run(target.clone(), vec![json(id, r#"{"a":1}"#)])
            .await;
        assert_eq!(warehouse.data_columns().await, ["id", "doc"]);
    }
    let batch = batch_from(
        vec![int("id", &[Some(3)]), text("doc", &[Some("plain")])],
        30,
    );
    warehouse.run(target.clone(), vec![batch]).await;
    warehouse.run(target, vec![json(4, "[]")]).await;
    assert_eq!(
        warehouse
            .rows("select id, doc__js, doc__st from shop.orders order by id")
            .await,
        [r#"1|{"a":1}|-"#, r#"2|{"a":1}|-"#, "3|-|plain", "4|[]|-"]
    );
}

#[tokio::test]
async fn a_key_that_is_too_long_rejects_its_record() {
    let warehouse = Warehouse::create().await;
    let (fits, over) = ("é".repeat(768), "é".repeat(769));
    let batch = warehouse.batch(vec![text("k", &[Some(&fits), Some(&over)])]);
    let report = warehouse
        .run(warehouse.target(&["k"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    assert_eq!(
        warehouse
            .rows("select char_length(k) from shop.orders")
            .await,
        ["768"]
    );
    // Two texts share the room of the index.
    let batch = warehouse.batch(vec![
        text("a", &[Some(&fits[..2 * 384]), Some(&fits[..2 * 385])]),
        text("b", &[Some("x"), Some("x")]),
    ]);
    let mut target = warehouse.target(&["a", "b"], LoadMode::Merge);
    target.table_name = "pairs".to_owned();
    target.identity.tap_stream_id = "pairs".to_owned();
    let report = warehouse.run(target, vec![batch]).await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
}
