//! Any lines as records, the first of them as their JSON Schema: each becomes a row, is refused, or is no JSON object; every
//! cut into batches gives the same rows; and every destination's rules find a place or a reason for all of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_connector::{Instants, Nesting, Sequences, ShapedBatch, SystemValues};
use selvedge_shape::json::JsonShaper;
use selvedge_shape::{Dialect, TableShape, record_text, subtable_batch};
use selvedge_types::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;

const DESTINATION: &str = "the destination";

/// Shapes the records into batches of at most `rows` rows.
fn shape(mut shaper: JsonShaper, records: &[&str], rows: usize) -> Vec<ShapedBatch> {
    let mut batches = Vec::new();
    let mut sequence = 0;
    let mut finish = |shaper: &mut JsonShaper| {
        let (taken, refused) = (shaper.row_count(), shaper.refused_count());
        let system = SystemValues {
            extracted_at: Instants::Same(None),
            received_at: Instants::Same(None),
            batched_at: Timestamp::from_micros(0),
            sequences: Sequences::From(sequence),
            table_version: 0,
        };
        sequence += taken as i64;
        let batch = shaper.finish(system).expect("columns fit together");
        assert_eq!(batch.records.num_rows(), taken);
        assert_eq!(batch.refused.len(), refused);
        batches.push(batch);
    };
    for record in records {
        if let Err(malformed) = shaper.push(record) {
            let is_object = record.trim_start_matches([' ', '\t', '\r']).starts_with('{');
            let is_json = serde_json::from_str::<IgnoredAny>(record).is_ok();
            assert!(!(is_object && is_json), "{malformed}: {record}");
        }
        if shaper.row_count() >= rows || shaper.is_full() {
            finish(&mut shaper);
        }
    }
    finish(&mut shaper);
    batches
}

/// What a batch promises about itself.
fn examine(batch: &ShapedBatch) {
    let rows = batch.records.num_rows();
    assert_eq!(batch.schema.fields.len(), batch.records.num_columns());
    assert_eq!(batch.texts.as_ref().map_or(0, |texts| texts.len()), rows);
    for items in &batch.subtables {
        assert_eq!(items.root_rows.len(), items.records.num_rows());
        assert!(items.root_rows.is_sorted());
        assert!(items.root_rows.iter().all(|row| (*row as usize) < rows));
        assert!(!items.levels.is_empty());
        assert!(items.levels.iter().all(|level| level.len() == items.root_rows.len()));
    }
}

/// Lets a destination's rules see all batches, as its writer does.
fn plan(dialect: &'static Dialect, key: &[String], batches: &[ShapedBatch]) {
    let mut table = TableShape::new(dialect, "schema", "records", key, None).expect("a good name");
    for batch in batches {
        let rows = batch.records.num_rows();
        let without_key = table.null_key_rows(&batch.schema, &batch.records);
        assert!(without_key.is_sorted() && without_key.iter().all(|row| *row < rows));
        if without_key.len() == rows {
            continue;
        }
        table.plan(&batch.schema, &batch.records);
        assert_eq!(table.targets().len(), batch.schema.fields.len());
        let rejections = table.row_rejections(&batch.records);
        assert!(rejections.iter().all(|rejection| rejection.row < rows));
        for items in &batch.subtables {
            let key = table.record_key(7);
            let all = subtable_batch(batch, items, &key).expect("parts fit together");
            let columns = key.subtable_key(items.levels.len());
            let shape =
                TableShape::subtable(dialect, "schema", "records", &items.path, columns, None);
            if let Ok(mut shape) = shape {
                shape.plan(&all.schema, &all.records);
                shape.row_rejections(&all.records);
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.lines();
    let schema = lines.next().unwrap_or_default();
    let schema = serde_json::from_str::<Value>(schema).unwrap_or_default();
    let records: Vec<&str> = lines.collect();
    let key = ["id".to_owned()];
    for nesting in [Nesting::Subtables, Nesting::Json] {
        for key in [&key[..], &[]] {
            let shapers = [
                JsonShaper::with_schema(nesting, DESTINATION, key, &schema),
                JsonShaper::new(nesting, DESTINATION, key),
                JsonShaper::tagged(nesting, DESTINATION, key),
            ];
            for shaper in shapers {
                let batches = shape(shaper, &records, usize::MAX);
                batches.iter().for_each(examine);
                for dialect in [&Dialect::POSTGRES, &Dialect::SQLITE, &Dialect::MYSQL] {
                    plan(dialect, key, &batches);
                }
            }
            // The texts of rows do not depend on where batches end.
            let texts = |rows: usize| -> Vec<String> {
                let shaper = JsonShaper::with_schema(nesting, DESTINATION, key, &schema);
                let batches = shape(shaper, &records, rows);
                let rows = batches.iter().flat_map(|batch| {
                    (0..batch.records.num_rows()).map(|row| record_text(batch, row))
                });
                rows.collect()
            };
            assert_eq!(texts(usize::MAX), texts(1));
        }
    }
});
