//! JSON Lines: nested values intact, digits as they are.

use selvedge_connector::{Destination, Nesting, RecordTexts, RefusedRecord};
use serde_json::json;

use crate::support::{Lake, batch, batch_of_every_type, every_type, load, merge, without_system};

#[tokio::test]
async fn a_record_that_came_as_json_stays_as_it_came() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    assert_eq!(lake.destination.nesting(), Nesting::Json);
    let mut rows = batch(
        1,
        &[
            ("parcel_id", vec![json!(71)]),
            ("size", vec![json!({"cm": {"w": 30}})]),
            ("fee", vec![json!(12.5)]),
            ("stops", vec![json!([{"town": "Lund"}])]),
            ("note", vec![json!(null)]),
        ],
    );
    let mut texts = RecordTexts::default();
    texts.push(
        "{\"stops\": [ {\"town\":\"Lund\",\"scans\":[]} ],\n \"parcel_id\": 71, \"not_selected\": 1, \
         \"size\": {\"cm\": {\"w\": 30}}, \"fee\": 12.50, \"note\": null}",
    );
    rows.texts = Some(texts);
    rows.refused.push(RefusedRecord {
        reason: "a reason".to_owned(),
        record: "{\"parcel_id\":1e999}".to_owned(),
    });
    let report = load(
        &lake.destination,
        merge("parcels", &["parcel_id"]),
        vec![rows],
    )
    .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    let text = lake.text("shop/parcels/0_1927857906789.jsonl");
    assert_eq!(
        text,
        "{\"stops\":[{\"town\":\"Lund\",\"scans\":[]}],\"parcel_id\":71,\"size\":{\"cm\":{\"w\":30}},\"fee\":12.50,\
         \"note\":null,\"_sdc_extracted_at\":\"2031-02-03T04:05:06.789000Z\",\
         \"_sdc_received_at\":\"2031-02-03T04:05:06.789000Z\",\"_sdc_batched_at\":\"2031-02-03T04:05:06.789000Z\",\
         \"_sdc_sequence\":1,\"_sdc_table_version\":0}\n"
    );
    let rejected = lake.text("shop/_sdc_rejected/0_1927857906789.jsonl");
    assert!(
        rejected.contains("\"record\":\"{\\\"parcel_id\\\":1e999}\""),
        "{rejected}"
    );
}

#[tokio::test]
async fn values_keep_their_json_type_whatever_came_before() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    let rows = batch(
        1,
        &[
            ("id", vec![json!(1), json!(2)]),
            ("reading", vec![json!(12), json!(null)]),
            ("reading", vec![json!(null), json!("n/a")]),
            ("reading__st", vec![json!("own"), json!(null)]),
        ],
    );
    load(&lake.destination, merge("meters", &["id"]), vec![rows]).await;
    let text = lake.text("shop/meters/0_1927857906789.jsonl");
    let lines: Vec<_> = text.lines().map(without_system).collect();
    assert_eq!(
        lines,
        [
            json!({"id": 1, "reading": 12, "reading__st": "own", "_sdc_sequence": 1, "_sdc_table_version": 0}),
            json!({"id": 2, "reading": "n/a", "reading__st": null, "_sdc_sequence": 2, "_sdc_table_version": 0}),
        ]
    );
}

#[tokio::test]
async fn every_type_has_its_json() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    load(
        &lake.destination,
        merge("types", &[]),
        vec![batch_of_every_type()],
    )
    .await;
    let text = lake.text("shop/types/0_1927857906789.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    let strings = ["text", "at", "day", "zone", "uuid", "bytes", "array"];
    for (name, _, _, expected) in every_type() {
        for (row, expected) in expected.into_iter().enumerate() {
            let value = match strings.contains(&name) {
                true => format!("\"{expected}\""),
                false => expected.to_owned(),
            };
            let member = format!("\"{name}\":{value},");
            assert!(lines[row].contains(&member), "{member} in {}", lines[row]);
        }
        assert!(
            lines[2].contains(&format!("\"{name}\":null,")),
            "{}",
            lines[2]
        );
    }
    assert!(
        lines[0].contains("\"__sdc_primary_key\":\""),
        "{}",
        lines[0]
    );
}
