//! Parquet, read back with an independent reader of the format.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use crate::support::{Lake, batch, batch_of_every_type, every_type, load, merge};

fn read(lake: &Lake, key: &str) -> Vec<RecordBatch> {
    let file = File::open(lake.root().join(key)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn names(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

#[tokio::test]
async fn every_type_comes_back() {
    let lake = Lake::new(&json!({}));
    load(
        &lake.destination,
        merge("types", &[]),
        vec![batch_of_every_type()],
    )
    .await;
    let batches = read(&lake, "shop/types/0_1927857906789.parquet");
    let [found] = batches.as_slice() else {
        panic!("{} batches", batches.len());
    };
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    for (name, logical_type, given, printed) in every_type() {
        let column = found.column_by_name(name).expect(name);
        match name {
            "wide" | "uuid" => {
                let texts: ArrayRef = Arc::new(StringArray::from(vec![
                    Some(printed[0]),
                    Some(printed[1]),
                    None,
                ]));
                assert_eq!(column, &texts, "{name}");
            }
            "at" | "zone" => {
                assert_eq!(column.data_type(), &instant, "{name}");
                let values = |array: &ArrayRef| {
                    let data = array.to_data();
                    data.buffers()[0].typed_data::<i64>()[..2].to_vec()
                };
                assert_eq!(values(column), values(&given), "{name}");
                assert!(column.is_null(2));
            }
            _ => {
                assert_eq!(column.data_type(), &logical_type.arrow_type(), "{name}");
                assert_eq!(column, &given, "{name}");
            }
        }
    }
    let system = &names(found)[every_type().len()..];
    assert_eq!(
        system,
        [
            "_sdc_extracted_at",
            "_sdc_received_at",
            "_sdc_batched_at",
            "_sdc_sequence",
            "_sdc_table_version",
            "__sdc_primary_key",
        ]
    );
    let sequences = found.column_by_name("_sdc_sequence").unwrap();
    let sequences = sequences.as_primitive::<arrow_array::types::Int64Type>();
    assert_eq!(sequences.values().as_ref(), [100, 101, 102]);
}

#[tokio::test]
async fn columns_that_come_late_and_classes_that_mix_share_a_file() {
    let lake = Lake::new(&json!({ "format": "parquet" }));
    let first = batch(
        1,
        &[
            ("id", vec![json!(1), json!(2)]),
            ("v", vec![json!(7), json!(null)]),
            ("v", vec![json!(null), json!("seven")]),
        ],
    );
    let second = batch(
        3,
        &[
            ("late", vec![json!(true), json!(null)]),
            ("id", vec![json!(3), json!(4)]),
            ("_sdc_x", vec![json!(null), json!(1)]),
        ],
    );
    let third = batch(5, &[("id", vec![json!(5)]), ("v", vec![json!(5)])]);
    let report = load(
        &lake.destination,
        merge("mixed", &["id"]),
        vec![first, second, third],
    )
    .await;
    assert_eq!((report.books.written, report.books.rejected), (4, 1));
    let batches = read(&lake, "shop/mixed/0_1927857906789.parquet");
    let found = &batches[0];
    assert_eq!(found.num_rows(), 4);
    assert_eq!(names(found)[..4], ["id", "v", "v__st", "late"]);
    let integers = |name: &str| {
        let column = found.column_by_name(name).unwrap();
        let column = column.as_primitive::<arrow_array::types::Int64Type>();
        column.iter().collect::<Vec<_>>()
    };
    assert_eq!(integers("id"), [Some(1), Some(2), Some(3), Some(5)]);
    assert_eq!(integers("v"), [Some(7), None, None, Some(5)]);
    let texts = found.column_by_name("v__st").unwrap().as_string::<i32>();
    let texts: Vec<_> = texts.iter().collect();
    assert_eq!(texts, [None, Some("seven"), None, None]);
    let late = found.column_by_name("late").unwrap().as_boolean();
    assert_eq!(
        late.iter().collect::<Vec<_>>(),
        [None, None, Some(true), None]
    );
}
