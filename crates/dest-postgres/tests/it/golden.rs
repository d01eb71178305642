//! Worked examples of the loading rules, record by record and cell by cell.

use selvedge_connector::LoadMode;
use serde_json::{Value, json};

use crate::support::{Warehouse, json_batch};

struct Stream {
    warehouse: Warehouse,
    key: Vec<&'static str>,
    schema: Value,
}

impl Stream {
    async fn new(key: &[&'static str]) -> Self {
        Self {
            warehouse: Warehouse::create().await,
            key: key.to_vec(),
            schema: json!({}),
        }
    }

    /// One load of records with their sequences; written, and rows of subtables.
    async fn load(&self, records: &[(i64, Value)]) -> (u64, u64) {
        let target = self.warehouse.target(&self.key, LoadMode::Merge);
        let batch = json_batch(&self.key, &self.schema, records);
        let report = self.warehouse.run(target, vec![batch]).await;
        (report.books.written, report.subtable_rows())
    }

    async fn rows(&self, query: &str) -> Vec<String> {
        self.warehouse.rows(query).await
    }
}

fn parcel(stops: Value, more: Value) -> Value {
    let mut record = json!({
        "parcel_id": 71, "label": "Kite", "size": {"cm": {"w": 30, "h": 12}, "soft": true}, "stops": stops,
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

#[tokio::test]
async fn a_nested_record_is_denested_and_replaced_with_all_its_items() {
    let stream = Stream::new(&["parcel_id"]).await;
    let first = parcel(
        json!([{"town": "Lund", "scans": [{"by": "ana"}, {"by": "bo"}]}, {"town": "Ystad", "scans": []}]),
        json!({"tags": ["gift", "blue"], "note": null}),
    );
    let loaded = stream
        .load(&[(1_700_000_000_000_000_101, first.clone())])
        .await;
    assert_eq!(loaded, (1, 6), "seven rows in all");
    assert_eq!(
        stream.rows("select parcel_id, label, size__cm__w, size__cm__h, size__soft, _sdc_sequence from shop.orders").await,
        ["71|Kite|30|12|true|1700000000000000101"]
    );
    assert_eq!(
        stream.warehouse.data_columns().await,
        [
            "parcel_id",
            "label",
            "size__cm__w",
            "size__cm__h",
            "size__soft"
        ],
        "no column for what was only null"
    );
    let stops = "select _sdc_source_key_parcel_id, _sdc_level_0_id, town, _sdc_sequence from shop.orders__stops order by 2";
    assert_eq!(
        stream.rows(stops).await,
        [
            "71|0|Lund|1700000000000000101",
            "71|1|Ystad|1700000000000000101"
        ]
    );
    let scans = "select _sdc_source_key_parcel_id, _sdc_level_0_id, _sdc_level_1_id, by from shop.orders__stops__scans order by 2, 3";
    assert_eq!(stream.rows(scans).await, ["71|0|0|ana", "71|0|1|bo"]);
    let tags = "select _sdc_source_key_parcel_id, _sdc_level_0_id, value from shop.orders__tags order by 2";
    assert_eq!(stream.rows(tags).await, ["71|0|gift", "71|1|blue"]);

    let second = parcel(json!([{"town": "Lund"}]), json!({}));
    assert_eq!(
        stream.load(&[(1_700_000_000_000_000_202, second)]).await,
        (1, 1)
    );
    let after = || async {
        assert_eq!(
            stream.rows("select _sdc_sequence from shop.orders").await,
            ["1700000000000000202"]
        );
        assert_eq!(stream.rows(stops).await, ["71|0|Lund|1700000000000000202"]);
        assert!(stream.rows(scans).await.is_empty());
        assert!(stream.rows(tags).await.is_empty());
    };
    after().await;
    assert_eq!(
        stream.load(&[(1_700_000_000_000_000_150, first)]).await,
        (0, 0),
        "an older version changes nothing"
    );
    after().await;
}

#[tokio::test]
async fn a_field_of_several_types_is_split_and_renamed() {
    let stream = Stream::new(&["id"]).await;
    stream.load(&[(1, json!({"id": 1, "reading": 12}))]).await;
    assert_eq!(stream.warehouse.data_columns().await, ["id", "reading"]);
    stream
        .load(&[(2, json!({"id": 2, "reading": "n/a"}))])
        .await;
    stream.load(&[(3, json!({"id": 3, "reading": 7}))]).await;
    stream.load(&[(4, json!({"id": 1, "reading": true}))]).await;
    assert_eq!(
        stream
            .rows("select id, reading__it, reading__st, reading__bo from shop.orders order by id")
            .await,
        ["1|-|-|true", "2|-|n/a|-", "3|7|-|-"]
    );
    stream
        .load(&[(5, json!({"id": 5, "reading__st": "x"}))])
        .await;
    assert_eq!(
        stream
            .rows("select reason, record from shop._sdc_rejected")
            .await,
        [
            r#"column names from client should not include reserved datatype suffix on [reading__st]|{"id":5,"reading__st":"x"}"#
        ]
    );
}

#[tokio::test]
async fn rows_are_updated_by_key_and_old_batches_are_ignored() {
    let stream = Stream::new(&["id"]).await;
    let row = |id: i64, name: &str, at: &str| json!({"id": id, "name": name, "changed": at});
    let jobs: [&[(i64, Value)]; 3] = [
        &[(100, row(1, "A", "10:00")), (101, row(2, "B", "10:05"))],
        &[
            (200, row(2, "B", "10:05")),
            (201, row(3, "D", "10:20")),
            (202, row(1, "C", "10:30")),
        ],
        &[(300, row(1, "C", "10:30"))],
    ];
    for job in jobs {
        stream.load(job).await;
    }
    let content = "select id, name, _sdc_sequence from shop.orders order by id";
    assert_eq!(
        stream.rows(content).await,
        ["1|C|300", "2|B|200", "3|D|201"]
    );
    assert_eq!(stream.load(&[(100, row(1, "A", "10:00"))]).await, (0, 0));
    assert_eq!(
        stream.rows(content).await,
        ["1|C|300", "2|B|200", "3|D|201"]
    );
}

#[tokio::test]
async fn a_deletion_leaves_a_tombstone_until_the_key_comes_back() {
    let mut stream = Stream::new(&["id"]).await;
    stream.schema = json!({"properties": {"_sdc_deleted_at": {"type": ["null", "string"], "format": "date-time"}}});
    let rider = |team: &str| json!({"id": 5, "name": "Mona", "team": team, "bikes": ["a", "b"], "_sdc_deleted_at": null});
    stream.load(&[(1, rider("red"))]).await;
    stream.load(&[(2, rider("blue"))]).await;
    stream
        .load(&[(
            3,
            json!({"id": 5, "_sdc_deleted_at": "2024-05-01T12:00:03Z"}),
        )])
        .await;
    let content = "select id, name, team, _sdc_deleted_at from shop.orders";
    assert_eq!(stream.rows(content).await, ["5|-|-|2024-05-01T12:00:03"]);
    assert!(
        stream
            .rows("select value from shop.orders__bikes")
            .await
            .is_empty(),
        "its items went along"
    );
    stream
        .load(&[(4, json!({"id": 5, "name": "Mo", "team": "green"}))])
        .await;
    assert_eq!(stream.rows(content).await, ["5|Mo|green|-"]);
}

#[tokio::test]
async fn an_inner_array_that_shrinks_leaves_no_stale_items() {
    let stream = Stream::new(&["site", "week"]).await;
    let shift = |week: Value, hours: Value| json!({"site": "N1", "week": week, "crews": [{"lead": "ana", "hours": hours}, {"lead": "bo", "hours": [{"h": 7, "ok": true}]}]});
    let full = json!([{"h": 8, "ok": true}, {"h": 9, "ok": false}]);
    let loaded = stream
        .load(&[
            (500, shift(json!(9), full.clone())),
            (501, shift(json!(10), full.clone())),
        ])
        .await;
    assert_eq!(loaded, (2, 2 * (2 + 3)));
    let hours = "select _sdc_level_0_id, _sdc_level_1_id, h, ok, _sdc_sequence from shop.orders__crews__hours
                 where _sdc_source_key_site = 'N1' and _sdc_source_key_week = 9 order by 1, 2";
    assert_eq!(
        stream.rows(hours).await,
        ["0|0|8|true|500", "0|1|9|false|500", "1|0|7|true|500"]
    );
    let shrunk = shift(json!(9), json!([{"h": 9, "ok": false}]));
    assert_eq!(stream.load(&[(510, shrunk)]).await, (1, 2 + 2));
    assert_eq!(
        stream.rows(hours).await,
        ["0|0|9|false|510", "1|0|7|true|510"]
    );
    assert_eq!(
        stream
            .rows("select count(*) from shop.orders__crews where _sdc_source_key_week = 9")
            .await,
        ["2"]
    );
    let other = "select count(*) from shop.orders__crews__hours where _sdc_source_key_week = 10";
    assert_eq!(stream.rows(other).await, ["3"], "other keys keep theirs");
    assert_eq!(
        stream.load(&[(520, shift(Value::Null, full))]).await,
        (0, 0),
        "no key, no row, no items"
    );
    assert_eq!(
        stream
            .rows("select count(*) from shop.orders__crews__hours")
            .await,
        ["5"]
    );
}

#[tokio::test]
async fn a_decimal_a_text_and_an_instant_are_three_columns() {
    let mut stream = Stream::new(&["id"]).await;
    let number = json!({"properties": {"fee": {"type": "number", "multipleOf": 0.01}}});
    stream.schema = number.clone();
    let fee = |id: i64, fee: &str| {
        (
            id,
            format!("{{\"id\":{},\"fee\":{fee}}}", if id == 4 { 2 } else { id }),
        )
    };
    let load = async |stream: &Stream, record: (i64, String)| {
        let batch = crate::support::text_batch(&["id"], &stream.schema, &[record]);
        stream
            .warehouse
            .run(
                stream.warehouse.target(&["id"], LoadMode::Merge),
                vec![batch],
            )
            .await;
    };
    load(&stream, fee(1, "12.50")).await;
    stream.schema = json!({"properties": {"fee": {"type": "string"}}});
    load(&stream, fee(2, "\"waived\"")).await;
    stream.schema = json!({"properties": {"fee": {"type": "string", "format": "date-time"}}});
    load(&stream, fee(3, "\"2024-05-01T10:00:00+02:00\"")).await;
    stream.schema = number;
    load(&stream, fee(4, "7.25")).await;
    assert_eq!(
        stream
            .rows("select id, fee__de::text, fee__st, fee__ti from shop.orders order by id")
            .await,
        ["1|12.50|-|-", "2|7.25|-|-", "3|-|-|2024-05-01T08:00:00"]
    );
}
