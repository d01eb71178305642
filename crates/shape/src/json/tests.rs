//! The shaper as a whole.

use selvedge_connector::{Instants, Nesting, Sequences, ShapedBatch, SystemValues};
use selvedge_types::Timestamp;
use serde_json::json;

use super::*;
use crate::record::record_json;

mod model;

fn system() -> SystemValues {
    let instant = Timestamp::from_micros(0);
    SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: Sequences::From(1),
        table_version: 0,
    }
}

fn shaper(nesting: Nesting, key: &[&str]) -> JsonShaper {
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    JsonShaper::new(nesting, "PostgreSQL", &key)
}

fn finished(shaper: &mut JsonShaper) -> ShapedBatch {
    shaper.finish(system()).unwrap()
}

/// The set fields of a row.
fn row(
    schema: &selvedge_connector::StreamSchema,
    records: &arrow_array::RecordBatch,
    row: usize,
) -> String {
    let set: Vec<usize> = (0..schema.fields.len())
        .filter(|field| !records.column(*field).is_null(row))
        .collect();
    let fields = set.iter().map(|field| schema.fields[*field].clone());
    let schema = selvedge_connector::StreamSchema::new(fields.collect());
    match set.is_empty() {
        true => "{}".to_owned(),
        false => record_json(&schema, &records.project(&set).unwrap(), row),
    }
}

/// `path root_row/levels fields`, one line for each row of the subtables.
fn items(batch: &ShapedBatch) -> Vec<String> {
    let mut lines = Vec::new();
    for subtable in &batch.subtables {
        for at in 0..subtable.records.num_rows() {
            let levels: Vec<String> = subtable
                .levels
                .iter()
                .map(|level| level[at].to_string())
                .collect();
            lines.push(format!(
                "{} {}/{} {}",
                subtable.path.join("."),
                subtable.root_rows[at],
                levels.join(","),
                row(&subtable.schema, &subtable.records, at)
            ));
        }
    }
    lines
}

fn rows(batch: &ShapedBatch) -> Vec<String> {
    (0..batch.records.num_rows())
        .map(|at| row(&batch.schema, &batch.records, at))
        .collect()
}

const PARCEL: &str = r#"{"parcel_id":71,"label":"Kite","size":{"cm":{"w":30,"h":12},"soft":true},
 "stops":[{"town":"Lund","scans":[{"by":"ana"},{"by":"bo"}]},{"town":"Ystad","scans":[]}],
 "tags":["gift","blue"],"note":null}"#;

#[test]
fn a_nested_record_becomes_rows_of_a_table_and_its_subtables() {
    let mut shaper = shaper(Nesting::Subtables, &["parcel_id"]);
    assert!(shaper.push(PARCEL).unwrap());
    let batch = finished(&mut shaper);
    assert_eq!(
        rows(&batch),
        [r#"{"parcel_id":71,"label":"Kite","size__cm__w":30,"size__cm__h":12,"size__soft":true}"#]
    );
    assert_eq!(
        items(&batch),
        [
            r#"stops 0/0 {"town":"Lund"}"#,
            r#"stops 0/1 {"town":"Ystad"}"#,
            r#"stops.scans 0/0,0 {"by":"ana"}"#,
            r#"stops.scans 0/0,1 {"by":"bo"}"#,
            r#"tags 0/0 {"value":"gift"}"#,
            r#"tags 0/1 {"value":"blue"}"#,
        ]
    );
    assert_eq!(
        batch.texts.as_ref().and_then(|texts| texts.get(0)),
        Some(PARCEL)
    );
}

#[test]
fn destinations_that_keep_json_get_it_whole_and_compact() {
    let mut shaper = shaper(Nesting::Json, &["id"]);
    shaper.push(r#"{"id": {"b": 1, "a": [2]}, "o": {"x" : 1.50, "x2": [ ]}, "a": [ 1, {"y": NaN} ], "n": 1}"#).unwrap();
    let batch = finished(&mut shaper);
    assert_eq!(
        rows(&batch),
        [r#"{"id":"{\"a\":[2],\"b\":1}","o":{"x":1.50,"x2":[]},"a":[1,{"y":null}],"n":1}"#]
    );
    assert!(batch.subtables.is_empty());
}

#[test]
fn arrays_of_arrays_go_by_the_name_value_and_nulls_keep_their_place() {
    let mut shaper = shaper(Nesting::Subtables, &[]);
    shaper
        .push(r#"{"m":[[1,2],[],[null,"x"],5,null,{"value":[true]}],"e":[],"n":null}"#)
        .unwrap();
    let batch = finished(&mut shaper);
    assert_eq!(
        items(&batch),
        [
            "m 0/0 {}",
            "m 0/1 {}",
            "m 0/2 {}",
            r#"m 0/3 {"value":5}"#,
            "m 0/4 {}",
            "m 0/5 {}",
            r#"m.value 0/0,0 {"value":1}"#,
            r#"m.value 0/0,1 {"value":2}"#,
            "m.value 0/2,0 {}",
            r#"m.value 0/2,1 {"value":"x"}"#,
            r#"m.value 0/5,0 {"value":true}"#,
        ]
    );
    assert_eq!(rows(&batch), ["{}"]);
}

#[test]
fn values_are_typed_by_the_schema_and_elsewhere_by_their_literal() {
    let schema = json!({"properties": {
        "fee": {"type": ["null", "number"], "multipleOf": 0.01},
        "ratio": {"type": "number"},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]},
        "big": {"type": "string", "format": "singer.decimal"},
        "list": {"type": "array", "items": {"type": "number"}},
    }});
    let mut shaper = JsonShaper::with_schema(Nesting::Subtables, "PostgreSQL", &[], &schema);
    let record = r#"{"fee":12.50,"ratio":3,"at":"2024-05-01T10:00:00+02:00","big":"1E3","list":[1,2.5],"free":5.0,"at2":"2024-05-01T10:00:00Z"}"#;
    shaper.push(record).unwrap();
    shaper
        .push(r#"{"fee":7,"at":"soon","big":"NaN","ratio":-Infinity,"free":5}"#)
        .unwrap();
    let batch = finished(&mut shaper);
    assert_eq!(
        rows(&batch),
        [
            r#"{"fee":12.50,"ratio":3.0,"at":"2024-05-01T08:00:00.000000Z","big":1000,"free":5.0,"at2":"2024-05-01T10:00:00Z"}"#,
            r#"{"fee":7,"at":"soon","free":5}"#,
        ]
    );
    assert_eq!(
        items(&batch),
        [r#"list 0/0 {"value":1.0}"#, r#"list 0/1 {"value":2.5}"#]
    );
    assert_eq!(shaper.take_not_finite(), 2);
}

#[test]
fn tagged_strings_go_to_columns_of_their_type() {
    let record = r#"{"id":"~n7","at":"~t2024-05-01T10:00:00+02:00","fee":"~f12.50","big":"~n-7","note":"~~t","iso":"2024-05-01T10:00:00Z","list":["~f1","~~x",2],"o":{"at":"~t1970-01-01T00:00:00Z"}}"#;
    let mut shaper = JsonShaper::tagged(Nesting::Subtables, "PostgreSQL", &["id".to_owned()]);
    assert!(shaper.push(record).unwrap());
    let batch = finished(&mut shaper);
    assert_eq!(
        rows(&batch),
        [
            r#"{"id":7,"at":"2024-05-01T08:00:00.000000Z","fee":12.50,"big":-7,"note":"~t","iso":"2024-05-01T10:00:00Z","o__at":"1970-01-01T00:00:00.000000Z"}"#
        ]
    );
    assert_eq!(
        items(&batch),
        [
            r#"list 0/0 {"value":1}"#,
            r#"list 0/1 {"value":"~x"}"#,
            r#"list 0/2 {"value":2}"#,
        ]
    );
    assert_eq!(
        batch.texts.as_ref().and_then(|texts| texts.get(0)),
        Some(
            r#"{"id":7,"at":"2024-05-01T10:00:00+02:00","fee":12.50,"big":-7,"note":"~t","iso":"2024-05-01T10:00:00Z","list":[1,"~x",2],"o":{"at":"1970-01-01T00:00:00Z"}}"#
        )
    );
}

#[test]
fn tags_show_nowhere_in_text() {
    let key = ["id".to_owned()];
    let mut shaper = JsonShaper::tagged(Nesting::Json, "PostgreSQL", &key);
    let record = r#"{"id":{"b":"~f1.5","a":"~~"},"o":{"x":"~t2024-05-01T10:00:00Z","~t":["~n99999999999999999999"]}}"#;
    assert!(shaper.push(record).unwrap());
    for (wide, reason) in [
        (
            r#"{"id":1,"n":"~n99999999999999999999","s":"~~"}"#,
            "integer out of range for PostgreSQL on [n]",
        ),
        (
            r#"{"id":1,"n":"~f1e999999","s":"~~"}"#,
            "decimal out of range for PostgreSQL on [n]",
        ),
    ] {
        assert!(!shaper.push(wide).unwrap());
        let refused = shaper.refused.last().unwrap();
        assert_eq!(refused.reason, reason);
        let shown = wide.replace("\"~n99999999999999999999\"", "99999999999999999999");
        let shown = shown
            .replace("\"~f1e999999\"", "1e999999")
            .replace("~~", "~");
        assert_eq!(refused.record, shown);
    }
    let batch = finished(&mut shaper);
    assert_eq!(
        rows(&batch),
        [
            r#"{"id":"{\"a\":\"~\",\"b\":1.5}","o":{"x":"2024-05-01T10:00:00Z","~t":[99999999999999999999]}}"#
        ]
    );
}

#[test]
fn a_record_that_does_not_get_in_leaves_nothing_behind() {
    let mut shaper = shaper(Nesting::Subtables, &[]);
    shaper.push(r#"{"id":1,"a":[1]}"#).unwrap();
    for (record, reason) in [
        (
            r#"{"id":2,"a":[1,[2]],"x":99999999999999999999}"#,
            "integer out of range for PostgreSQL on [x]",
        ),
        (
            r#"{"id":2,"a":[1e999]}"#,
            "decimal out of range for PostgreSQL on [value]",
        ),
        (
            r#"{"id":2,"o":{"s":"\ud800"}}"#,
            "value not valid for PostgreSQL on [o__s]",
        ),
        (
            r#"{"id":2,"\udc00":1}"#,
            r"value not valid for PostgreSQL on [\udc00]",
        ),
    ] {
        assert!(!shaper.push(record).unwrap());
        assert_eq!(shaper.refused.last().unwrap().reason, reason);
        assert_eq!(shaper.refused.last().unwrap().record, record);
    }
    let deep = format!(r#"{{"id":2,"d":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(!shaper.push(&deep).unwrap());
    for broken in [
        r#"{"id":2"#,
        r#"{"id":99999999999999999999"#,
        "[1]",
        "{} {}",
        "",
        r#"{"a":"\ud800","b":}"#,
    ] {
        assert!(shaper.push(broken).is_err(), "{broken}");
    }
    shaper.push(r#"{"id":3,"a":[3]}"#).unwrap();
    let batch = finished(&mut shaper);
    assert_eq!(rows(&batch), [r#"{"id":1}"#, r#"{"id":3}"#]);
    assert_eq!(
        items(&batch),
        [r#"a 0/0 {"value":1}"#, r#"a 1/0 {"value":3}"#]
    );
    assert_eq!(batch.refused.len(), 5);
}

#[test]
fn the_last_of_repeated_members_counts() {
    let mut shaper = shaper(Nesting::Subtables, &[]);
    shaper
        .push(r#"{"a":[1,2],"b":1,"a":[{"x":1,"x":2}],"b":"two"}"#)
        .unwrap();
    let batch = finished(&mut shaper);
    assert_eq!(rows(&batch), [r#"{"b":"two"}"#]);
    assert_eq!(items(&batch), [r#"a 0/0 {"x":2}"#]);
}

#[test]
fn fields_keep_their_schema_from_batch_to_batch() {
    let mut shaper = shaper(Nesting::Subtables, &[]);
    shaper.push(r#"{"a":1,"b":"x"}"#).unwrap();
    let first = finished(&mut shaper);
    shaper.push(r#"{"b":"y"}"#).unwrap();
    let second = finished(&mut shaper);
    assert!(std::sync::Arc::ptr_eq(&first.schema, &second.schema));
    assert_eq!(rows(&second), [r#"{"b":"y"}"#]);
    shaper.push(r#"{"b":2}"#).unwrap();
    assert_eq!(finished(&mut shaper).schema.fields.len(), 3);
}

#[test]
fn records_with_ever_new_fields_end_the_batch_and_are_forgotten() {
    let mut shaper = shaper(Nesting::Subtables, &[]);
    let mut records = 0;
    while !shaper.is_full() {
        let fields: Vec<String> = (0..100)
            .map(|field| format!("\"f{records}_{field}\":1"))
            .collect();
        assert!(shaper.push(&format!("{{{}}}", fields.join(","))).unwrap());
        records += 1;
    }
    assert!(records < 1_000, "{records}");
    finished(&mut shaper);
    let fields: Vec<String> = (0..200_000)
        .map(|field| format!("\"g{field}\":1"))
        .collect();
    assert!(!shaper.push(&format!("{{{}}}", fields.join(","))).unwrap());
    assert_eq!(shaper.refused[0].reason, "ERROR: too many columns");
    finished(&mut shaper);
    assert!(!shaper.is_full());
}

#[test]
fn a_first_record_that_is_taken_back_leaves_no_trace() {
    for nesting in [Nesting::Subtables, Nesting::Json] {
        let mut shaper = JsonShaper::new(nesting, "PostgreSQL", &[]);
        // Read as far as its values, and then it is no JSON.
        shaper.push(r#"{"a":1,"l":[{"b":2}],"#).unwrap_err();
        assert!(shaper.push(r#"{"a":3,"l":[{"b":4}]}"#).unwrap());
        let batch = shaper.finish(system()).unwrap();
        assert_eq!(batch.records.num_rows(), 1);
        assert_eq!(batch.records.num_columns(), batch.schema.fields.len());
        assert!(
            batch
                .records
                .columns()
                .iter()
                .all(|column| column.null_count() == 0)
        );
    }
}
