//! Full tables: every pass leaves an object of its own, and nothing that was there goes away.

use selvedge_connector::{Destination, ErrorKind, Instants, ShapedBatch, SystemValues};
use serde_json::json;

use crate::support::{Lake, batch, checkpoint, columns, context, load, replace, system};

fn rates(values: &[(&str, f64)], first_sequence: i64, table_version: i64) -> ShapedBatch {
    let (schema, records) = columns(&[
        ("cur", values.iter().map(|(cur, _)| json!(cur)).collect()),
        ("r", values.iter().map(|(_, rate)| json!(rate)).collect()),
    ]);
    let system = SystemValues {
        extracted_at: Instants::Same(None),
        ..system(first_sequence, table_version)
    };
    ShapedBatch::of_columns(schema, records, system)
}

/// The line without the three instants, which the example leaves out.
fn shown(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            let mut object: serde_json::Value = serde_json::from_str(line).unwrap();
            let members = object.as_object_mut().unwrap();
            assert!(!members.contains_key("_sdc_extracted_at"));
            members.shift_remove("_sdc_received_at").unwrap();
            members.shift_remove("_sdc_batched_at").unwrap();
            object.to_string()
        })
        .collect()
}

#[tokio::test]
async fn every_job_leaves_a_version_of_its_own() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    let passes = [
        (
            1_700_000_000_000,
            1_700_000_001_000_000_001,
            [("EUR", 1.0), ("SEK", 11.4)],
        ),
        (
            1_700_003_600_000,
            1_700_003_601_000_000_001,
            [("EUR", 1.0), ("NOK", 11.8)],
        ),
    ];
    for (version, first_sequence, values) in passes {
        let mut target = replace("rates", &["cur"], version);
        target.schema_name = "fx".to_owned();
        let report = load(
            &lake.destination,
            target,
            vec![rates(&values, first_sequence, version)],
        )
        .await;
        assert!(report.durable);
        assert_eq!(report.books.written, 2);
    }
    let keys = lake.keys();
    assert_eq!(
        keys,
        [
            "fx/rates/1700000000000_1927857906789.jsonl",
            "fx/rates/1700003600000_1927857906789.jsonl"
        ]
    );
    assert_eq!(
        shown(&lake.text(&keys[0])),
        [
            r#"{"cur":"EUR","r":1.0,"_sdc_sequence":1700000001000000001,"_sdc_table_version":1700000000000}"#,
            r#"{"cur":"SEK","r":11.4,"_sdc_sequence":1700000001000000002,"_sdc_table_version":1700000000000}"#,
        ]
    );
    assert_eq!(
        shown(&lake.text(&keys[1])),
        [
            r#"{"cur":"EUR","r":1.0,"_sdc_sequence":1700003601000000001,"_sdc_table_version":1700003600000}"#,
            r#"{"cur":"NOK","r":11.8,"_sdc_sequence":1700003601000000002,"_sdc_table_version":1700003600000}"#,
        ]
    );
}

#[tokio::test]
async fn a_pass_that_was_cut_short_leaves_nothing() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let target = replace("rates", &["id"], 5);
    let mut writer = lake
        .destination
        .open(context(1), target.clone())
        .await
        .unwrap();
    writer
        .write(batch(1, &[("id", vec![json!(1)])]))
        .await
        .unwrap();
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert!(!report.durable);
    assert_eq!(report.books.total(), 0);
    drop(writer);
    assert_eq!(
        lake.keys()
            .iter()
            .filter(|key| !key.starts_with(".spool"))
            .count(),
        0
    );

    let whole = batch(10, &[("id", vec![json!(1), json!(2)])]);
    let report = load(&lake.destination, target, vec![whole]).await;
    assert_eq!(report.books.written, 2);
    assert_eq!(lake.keys(), ["shop/rates/5_1927857906789.csv"]);
}

#[tokio::test]
async fn an_older_version_is_left_out() {
    let lake = Lake::new(&json!({}));
    let row = || vec![batch(1, &[("id", vec![json!(1)])])];
    load(&lake.destination, replace("rates", &["id"], 9), row()).await;
    let report = load(&lake.destination, replace("rates", &["id"], 8), row()).await;
    assert_eq!((report.books.written, report.books.old_version), (0, 1));
    assert!(report.notes[0].contains("already has version 9"));
    assert_eq!(lake.keys(), ["shop/rates/9_1927857906789.parquet"]);
}

#[tokio::test]
async fn a_run_with_an_older_fence_is_refused() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let row = || batch(1, &[("id", vec![json!(1)])]);
    let target = crate::support::merge("orders", &["id"]);
    let open = |fence| lake.destination.open(context(fence), target.clone());
    let mut older = open(1).await.unwrap();
    older.write(row()).await.unwrap();
    let mut newer = open(2).await.unwrap();
    newer.write(row()).await.unwrap();
    newer.commit(checkpoint(1)).await.unwrap();
    let late = older.commit(checkpoint(1)).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Stopped);
    assert_eq!(
        open(1).await.map(|_| ()).unwrap_err().kind,
        ErrorKind::Stopped
    );
    assert_eq!(lake.keys().len(), 1);
}
