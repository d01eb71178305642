//! Values of every type, into the file and back out of it through the source.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use selvedge_connector::{
    DiscoverContext, Field, LogicalType, ReadContext, ReadMethod, Source, SourceEvent, StreamRead,
    StreamSchema, TypeFidelity, event_channel,
};
use selvedge_source_sqlite::{SourceFiles, SqliteSource};
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, context, merge, shaped};

fn every_type() -> Vec<(&'static str, LogicalType, ArrayRef)> {
    let decimal = |precision, scale| LogicalType::Decimal { precision, scale };
    let wide = i256::from_string("-98765432109876543210987654321098765432109876543210").unwrap();
    vec![
        (
            "id",
            LogicalType::Int64,
            Arc::new(Int64Array::from(vec![1, 2])),
        ),
        (
            "b",
            LogicalType::Boolean,
            Arc::new(BooleanArray::from(vec![Some(true), None])),
        ),
        (
            "i2",
            LogicalType::Int16,
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None])),
        ),
        (
            "i4",
            LogicalType::Int32,
            Arc::new(Int32Array::from(vec![Some(i32::MAX), None])),
        ),
        (
            "i8",
            LogicalType::Int64,
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None])),
        ),
        (
            "f4",
            LogicalType::Float32,
            Arc::new(Float32Array::from(vec![Some(0.5), None])),
        ),
        (
            "f8",
            LogicalType::Float64,
            Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), None])),
        ),
        (
            "whole",
            LogicalType::Float64,
            Arc::new(Float64Array::from(vec![Some(3.0), None])),
        ),
        (
            "d",
            decimal(12, 2),
            Arc::new(
                Decimal128Array::from(vec![Some(-5), None])
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        (
            "wide",
            decimal(60, 10),
            Arc::new(
                Decimal256Array::from(vec![Some(wide), None])
                    .with_precision_and_scale(60, 10)
                    .unwrap(),
            ),
        ),
        (
            "dt",
            LogicalType::DecimalText,
            Arc::new(StringArray::from(vec![
                Some("007".trim_start_matches('0')),
                None,
            ])),
        ),
        (
            "t",
            LogicalType::Text,
            Arc::new(StringArray::from(vec![Some("1.50 é \u{0} '\""), None])),
        ),
        (
            "ts",
            LogicalType::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(253_402_300_799_999_999),
                None,
            ])),
        ),
        (
            "day",
            LogicalType::Date,
            Arc::new(Date32Array::from(vec![Some(-719_162), None])),
        ),
        (
            "tz",
            LogicalType::TimestampTz,
            Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None]).with_timezone("UTC")),
        ),
        (
            "u",
            LogicalType::Uuid,
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some([0xab; 16]), None].into_iter(),
                    16,
                )
                .unwrap(),
            ),
        ),
        (
            "raw",
            LogicalType::Bytes,
            Arc::new(BinaryArray::from(vec![Some(&[0_u8, 255][..]), None])),
        ),
        (
            "j",
            LogicalType::Json,
            Arc::new(StringArray::from(vec![Some("{\"a\": 1.10}"), None])),
        ),
        (
            "ar",
            LogicalType::Array {
                item: Box::new(LogicalType::Int64),
            },
            Arc::new(StringArray::from(vec![Some("{1,NULL}"), None])),
        ),
    ]
}

#[tokio::test]
async fn every_type_is_stored_in_its_canonical_form() {
    let warehouse = Warehouse::new();
    load_every_type(&warehouse).await;
    let columns = "id, b, i2, i4, i8, f4, f8, whole, d, wide, dt, t, ts, day, tz, u, raw, j, ar";
    assert_eq!(
        warehouse.rows(&format!("select {columns} from shop__types order by id")),
        [
            "1|1|-32768|2147483647|-9223372036854775808|0.5|0.30000000000000004|3.0|-0.05|\
             -9876543210987654321098765432109876543210.9876543210|7|1.50 é \u{0} '\"|9999-12-31T23:59:59.999999Z|0001-01-01|\
             1969-12-31T23:59:59.999999Z|abababab-abab-abab-abab-abababababab|[0, 255]|{\"a\": 1.10}|{1,NULL}",
            "2|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null"
        ]
    );
    assert_eq!(
        warehouse.rows(
            "select group_concat(name || ' ' || lower(type), ', ') from pragma_table_info('shop__types') where name not like '\\_sdc%' escape '\\'"
        ),
        ["id bigint, b boolean, i2 integer, i4 integer, i8 bigint, f4 double, f8 double, whole double, d decimal_text, \
          wide decimal_text, dt decimal_text, t text, ts timestamp_text, day date_text, tz timestamptz_text, u uuid_text, \
          raw blob, j json_text, ar array_text_bi"]
    );
}

#[tokio::test]
async fn what_was_loaded_is_read_back_by_the_source() {
    let warehouse = Warehouse::new();
    load_every_type(&warehouse).await;
    let config = selvedge_connector::ConnectionConfig::new([(
        "path".to_owned(),
        warehouse.path.to_str().unwrap().into(),
    )]);
    let files = SourceFiles {
        allowed_directories: vec![warehouse.directory.path().to_owned()],
        forbidden: Vec::new(),
    };
    let source = SqliteSource::new(&config, &files).unwrap();
    let load = context(1);
    let catalog = source
        .discover(&DiscoverContext {
            dialer: load.dialer.clone(),
            stop: CancellationToken::new(),
            fidelity: TypeFidelity::Native,
        })
        .await
        .unwrap();
    let stream = catalog
        .streams
        .iter()
        .find(|stream| stream.stream_name == "shop__types")
        .unwrap();
    let fields: Vec<Field> = stream
        .fields
        .iter()
        .filter_map(|field| Some(Field::new(field.name.clone(), field.logical_type.clone()?)))
        .collect();
    let (sender, mut receiver) = event_channel(8);
    source
        .read(
            ReadContext {
                dialer: load.dialer.clone(),
                clock: load.clock.clone(),
                stop: CancellationToken::new(),
                fidelity: TypeFidelity::Native,
                batch_bytes: 1 << 20,
                batch_rows: 100,
            },
            StreamRead {
                tap_stream_id: stream.tap_stream_id.clone(),
                location: stream.location.clone(),
                schema: StreamSchema::new(fields),
                method: ReadMethod::FullTable,
            },
            sender,
        )
        .await
        .unwrap();
    let Some(SourceEvent::Batch(batch)) = receiver.recv().await else {
        panic!("no batch");
    };
    assert!(receiver.recv().await.is_none(), "nothing was off its type");
    for (name, logical_type, expected) in every_type() {
        let index = batch.schema.index_of(name).unwrap();
        let actual = batch.records.column(index);
        let read_as = &batch.schema.fields[index].logical_type;
        if *read_as == logical_type {
            assert_eq!(actual, &expected, "{name}");
        } else {
            assert_eq!(actual.null_count(), 1, "{name}");
        }
        if logical_type
            == (LogicalType::Decimal {
                precision: 12,
                scale: 2,
            })
        {
            assert_eq!(*read_as, LogicalType::DecimalText);
            assert_eq!(actual.as_string::<i32>().value(0), "-0.05");
        }
    }
}

async fn load_every_type(warehouse: &Warehouse) {
    let (fields, arrays): (Vec<_>, Vec<_>) = every_type()
        .into_iter()
        .map(|(name, logical_type, array)| ((name, logical_type), array))
        .unzip();
    let report = warehouse
        .load(merge("types", &["id"]), vec![shaped(1, &fields, arrays)])
        .await;
    assert_eq!(report.books.written, 2);
}
