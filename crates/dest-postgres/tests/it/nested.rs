//! Records with arrays, in every way of loading.

use selvedge_connector::{LoadMode, SubtableReport, TableTarget};
use serde_json::{Value, json};

use crate::support::{Warehouse, checkpoint, json_batch};

fn replace(warehouse: &Warehouse, key: &[&str]) -> TableTarget {
    warehouse.target(key, LoadMode::Replace)
}

fn none() -> Value {
    json!({})
}

const ITEMS: &str = "select _sdc_source_key_id, _sdc_level_0_id, value, _sdc_sequence from shop.orders__a order by 1, 2, 4";

#[tokio::test]
async fn a_replacement_takes_the_items_along() {
    let warehouse = Warehouse::create().await;
    let batch = |records: &[(i64, Value)]| json_batch(&["id"], &none(), records);
    let first = batch(&[
        (1, json!({"id": 1, "a": ["x", "y"], "b": [1]})),
        (2, json!({"id": 2, "a": ["z"]})),
    ]);
    let report = warehouse
        .run(replace(&warehouse, &["id"]), vec![first])
        .await;
    assert_eq!(report.books.written, 2);
    let subtable = |array: &str, row_count| SubtableReport {
        table_name: format!("orders__{array}"),
        path: vec![array.to_owned()],
        row_count,
        objects: None,
    };
    assert_eq!(report.subtables, [subtable("a", 3), subtable("b", 1)]);
    let second = vec![
        batch(&[
            (11, json!({"id": 1, "a": ["old"]})),
            (12, json!({"id": 3, "a": [5]})),
        ]),
        batch(&[(13, json!({"id": 1, "a": ["new", null]}))]),
    ];
    let report = warehouse.run(replace(&warehouse, &["id"]), second).await;
    assert_eq!(
        (
            report.books.written,
            report.books.superseded,
            report.subtable_rows()
        ),
        (2, 1, 3)
    );
    assert_eq!(
        warehouse
            .rows("select id, _sdc_sequence from shop.orders order by 1")
            .await,
        ["1|13", "3|12"]
    );
    assert_eq!(
        warehouse
            .rows("select _sdc_source_key_id, _sdc_level_0_id, value__st, value__it from shop.orders__a order by 1, 2")
            .await,
        ["1|0|new|-", "1|1|-|-", "3|0|-|5"]
    );
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders__b").await,
        ["0"],
        "nothing of the old version stays"
    );
}

#[tokio::test]
async fn a_replacement_that_was_cut_short_shows_nothing() {
    let warehouse = Warehouse::create().await;
    let batch = |sequence, value: &str| {
        json_batch(
            &["id"],
            &none(),
            &[(sequence, json!({"id": 1, "a": [value]}))],
        )
    };
    warehouse
        .run(replace(&warehouse, &["id"]), vec![batch(1, "kept")])
        .await;
    let mut writer = warehouse
        .open(replace(&warehouse, &["id"]), 2)
        .await
        .unwrap();
    writer.write(batch(2, "lost")).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(warehouse.rows(ITEMS).await, ["1|0|kept|1"]);
}

#[tokio::test]
async fn a_first_load_that_was_cut_short_starts_over_with_its_items() {
    let warehouse = Warehouse::create().await;
    let batch = |sequence, value: &str| {
        json_batch(
            &["id"],
            &none(),
            &[(sequence, json!({"id": 1, "a": [value, value]}))],
        )
    };
    let mut writer = warehouse
        .open(replace(&warehouse, &["id"]), 1)
        .await
        .unwrap();
    writer.write(batch(1, "half")).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|loading"]);
    assert_eq!(warehouse.rows(ITEMS).await.len(), 2);
    let flat = json_batch(&["id"], &none(), &[(5, json!({"id": 1, "a": ["whole"]}))]);
    warehouse
        .run(replace(&warehouse, &["id"]), vec![flat])
        .await;
    assert_eq!(warehouse.rows(ITEMS).await, ["1|0|whole|5"]);
    assert_eq!(
        warehouse
            .rows("select table_name, root_name from shop._sdc_selvedge_subtables")
            .await,
        ["orders__a|orders"]
    );
}

#[tokio::test]
async fn within_a_load_the_later_of_equals_wins_with_its_items() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |records: &[(i64, Value)]| json_batch(&["id"], &none(), records);
    let batches = vec![
        batch(&[
            (7, json!({"id": 1, "a": [1, 2, 3]})),
            (9, json!({"id": 2, "a": [20]})),
        ]),
        batch(&[
            (7, json!({"id": 1, "a": [4]})),
            (8, json!({"id": 2, "a": [10, 11]})),
        ]),
    ];
    let report = warehouse.run(target.clone(), batches).await;
    assert_eq!(
        (
            report.books.written,
            report.books.superseded,
            report.subtable_rows()
        ),
        (2, 2, 2)
    );
    let items = ["1|0|4|7", "2|0|20|9"];
    assert_eq!(warehouse.rows(ITEMS).await, items);
    // Against the table an equal one loses.
    let report = warehouse
        .run(target, vec![batch(&[(7, json!({"id": 1, "a": [5, 6]}))])])
        .await;
    assert_eq!(
        (report.books.older_sequence, report.subtable_rows()),
        (1, 0)
    );
    assert_eq!(warehouse.rows(ITEMS).await, items);
}

#[tokio::test]
async fn items_that_come_after_flat_records_of_the_same_load_find_their_place() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |records: &[(i64, Value)]| json_batch(&["id"], &none(), records);
    warehouse
        .run(
            target.clone(),
            vec![batch(&[(1, json!({"id": 1, "v": "a"}))])],
        )
        .await;
    let batches = vec![
        batch(&[(2, json!({"id": 1, "v": "b"})), (3, json!({"id": 2}))]),
        batch(&[(4, json!({"id": 1, "a": ["late"]}))]),
    ];
    let report = warehouse.run(target, batches).await;
    assert_eq!((report.books.written, report.books.superseded), (2, 1));
    assert_eq!(warehouse.rows(ITEMS).await, ["1|0|late|4"]);
    assert_eq!(
        warehouse
            .rows("select id, v, _sdc_sequence from shop.orders order by 1")
            .await,
        ["1|-|4", "2|-|3"]
    );
}

#[tokio::test]
async fn keyless_records_lend_their_generated_identity_to_their_items() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&[], LoadMode::Merge);
    let batch = |sequence| {
        json_batch(
            &[],
            &none(),
            &[
                (sequence, json!({"a": [1, 2]})),
                (sequence + 1, json!({"n": 1})),
            ],
        )
    };
    for sequence in [1, 11] {
        let report = warehouse.run(target.clone(), vec![batch(sequence)]).await;
        assert_eq!((report.books.written, report.subtable_rows()), (2, 2));
    }
    assert_eq!(
        warehouse
            .rows(
                "select o._sdc_sequence, a._sdc_level_0_id, a.value from shop.orders o
                 join shop.orders__a a on a._sdc_source_key___sdc_primary_key = o.__sdc_primary_key order by 1, 2"
            )
            .await,
        ["1|0|1", "1|1|2", "11|0|1", "11|1|2"]
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_keeps_out_the_record_with_all_its_items() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let schema = json!({"properties": {"a": {"type": "array", "items": {"properties": {"at": {"type": "string", "format": "date-time"}}}}}});
    let records = [
        (1, json!({"id": 1, "a": [{"n": 1}]})),
        (2, json!({"id": 2, "a": [{"n": 1}, {"x__st": 1}]})),
        (
            3,
            json!({"id": 3, "a": [{"n": 1, "N!": 2}], "b": [{"n!": 1, "n": 2}]}),
        ),
        (
            4,
            json!({"id": 4, "a": [{"n": 1}], "big": [99_999_999_999_999_999_999_u128 as f64]}),
        ),
    ];
    let report = warehouse
        .run(target, vec![json_batch(&["id"], &schema, &records)])
        .await;
    assert_eq!(
        (
            report.books.written,
            report.books.rejected,
            report.subtable_rows()
        ),
        (2, 2, 3)
    );
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected order by 1")
            .await,
        [
            "Field collision on n",
            "column names from client should not include reserved datatype suffix on [x__st]",
        ]
    );
    assert_eq!(
        warehouse
            .rows("select _sdc_source_key_id from shop.orders__a order by 1")
            .await,
        ["1", "4"]
    );
}

#[tokio::test]
async fn an_array_whose_table_belongs_to_somebody_else_is_a_collision() {
    let warehouse = Warehouse::create().await;
    warehouse
        .client
        .batch_execute("create schema shop; create table shop.orders__a (id int)")
        .await
        .unwrap();
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let records = [
        (1, json!({"id": 1, "a": [1]})),
        (2, json!({"id": 2, "b": [1]})),
    ];
    let report = warehouse
        .run(target, vec![json_batch(&["id"], &none(), &records)])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        ["Field collision on orders__a"]
    );
    // And the other way round: a stream whose table holds the items of another.
    let mut other = warehouse.target(&["id"], LoadMode::Merge);
    other.table_name = "orders__b".to_owned();
    other.identity.tap_stream_id = "other".to_owned();
    let report = warehouse
        .run(
            other,
            vec![json_batch(&["id"], &none(), &[(1, json!({"id": 1}))])],
        )
        .await;
    assert_eq!(report.books.rejected, 1);
}

#[tokio::test]
async fn items_without_a_possible_table_are_left_out_and_told() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let long = "a".repeat(60);
    let records = [
        (1, json!({"id": 1, &long: [1]})),
        (2, json!({"id": 2, &long: [1]})),
    ];
    let report = warehouse
        .run(target, vec![json_batch(&["id"], &none(), &records)])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (2, 0));
    let reason = format!("Table name [orders__{long}] is too long for PostgreSQL");
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        std::slice::from_ref(&reason)
    );
    assert!(report.notes.iter().any(|note| note.contains(&reason)));
}

#[tokio::test]
async fn a_key_of_another_type_ends_the_key_of_the_items_too() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |records: &[(i64, Value)]| json_batch(&["id"], &none(), records);
    warehouse
        .run(
            target.clone(),
            vec![batch(&[(1, json!({"id": 1, "a": ["x"]}))])],
        )
        .await;
    let report = warehouse
        .run(
            target.clone(),
            vec![batch(&[
                (2, json!({"id": 1, "a": ["y"]})),
                (3, json!({"id": "one", "a": ["z"]})),
            ])],
        )
        .await;
    assert_eq!(report.books.written, 2);
    warehouse
        .run(
            target,
            vec![batch(&[(4, json!({"id": "one", "a": ["w"]}))])],
        )
        .await;
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["4"]
    );
    assert_eq!(
        warehouse
            .rows("select value, _sdc_sequence from shop.orders__a order by 2")
            .await,
        ["x|1", "y|2", "z|3", "w|4"]
    );
}

#[tokio::test]
async fn a_dropped_subtable_comes_back_with_new_items_only() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |records: &[(i64, Value)]| json_batch(&["id"], &none(), records);
    warehouse
        .run(
            target.clone(),
            vec![batch(&[(1, json!({"id": 1, "a": [1]}))])],
        )
        .await;
    warehouse
        .client
        .batch_execute("drop table shop.orders__a")
        .await
        .unwrap();
    warehouse
        .run(target.clone(), vec![batch(&[(2, json!({"id": 2}))])])
        .await;
    warehouse
        .run(target, vec![batch(&[(3, json!({"id": 3, "a": [3]}))])])
        .await;
    assert_eq!(warehouse.rows(ITEMS).await, ["3|0|3|3"]);
}

#[tokio::test]
async fn extreme_records_have_a_defined_end() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let decimal = format!("{}.{}", "9".repeat(150), "1".repeat(50));
    let schema = json!({"properties": {
        "amount": {"type": "number", "multipleOf": 1e-50},
        "at": {"type": "string", "format": "date-time"},
    }});
    let many: Vec<String> = (0..10_000).map(|field| format!("\"f{field}\":1")).collect();
    let huge = "x".repeat(20 << 20);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let records = [
        (1, format!(r#"{{"id":1,"amount":{decimal}}}"#)),
        (2, r#"{"id":2,"at":"0001-01-01T00:00:00Z"}"#.to_owned()),
        (
            3,
            r#"{"id":3,"at":"9999-12-31T23:59:59.999999Z"}"#.to_owned(),
        ),
        (4, format!(r#"{{"id":4,"text":"{huge}"}}"#)),
        (5, r#"{"id":5,"text":"a\u0000b"}"#.to_owned()),
        (6, r#"{"id":6,"text":"\ud800"}"#.to_owned()),
        (
            7,
            r#"{"id":7,"count":123456789012345678901234567890}"#.to_owned(),
        ),
        (8, format!(r#"{{"id":8,"deep":{deep}}}"#)),
        (9, r#"{"id":9,"amount":1e200000}"#.to_owned()),
        (10, format!(r#"{{"id":10,{}}}"#, many.join(","))),
    ];
    let batch = crate::support::text_batch(&["id"], &schema, &records);
    let report = warehouse.run(target, vec![batch]).await;
    assert_eq!((report.books.written, report.books.rejected), (5, 5));
    assert_eq!(
        warehouse
            .rows("select id, amount::text, at, length(text) from shop.orders order by id")
            .await,
        [
            format!("1|{decimal}|-|-"),
            "2|-|0001-01-01T00:00:00|-".to_owned(),
            "3|-|9999-12-31T23:59:59.999999|-".to_owned(),
            format!("4|-|-|{}", 20 << 20),
            "5|-|-|2".to_owned(),
        ]
    );
    assert_eq!(
        warehouse
            .rows(r#"select reason from shop._sdc_rejected order by substring(record from '"id":(\d+)')::int"#)
            .await,
        [
            "value not valid for PostgreSQL on [text]",
            "integer out of range for PostgreSQL on [count]",
            "objects and arrays are nested too deeply",
            "decimal out of range for PostgreSQL on [amount]",
            "ERROR: too many columns",
        ]
    );
}
