//! One name, one table, one owner.

use selvedge_connector::{ErrorKind, TableTarget};

use crate::support::{Warehouse, context, json, merge, people, replace};

fn in_schema(schema: &str, target: TableTarget) -> TableTarget {
    TableTarget {
        schema_name: schema.to_owned(),
        ..target
    }
}

const ORDER: &str = r#"{"id":1,"items":[{"sku":"a"}]}"#;
const BARE: &str = r#"{"id":2}"#;

#[tokio::test]
async fn two_schemas_cannot_share_a_table() {
    let warehouse = Warehouse::new();
    let first = || in_schema("a", merge("b__c", &["id"]));
    let second = || in_schema("a__b", merge("c", &["id"]));
    warehouse.load(first(), vec![people(1, &[(1, "x")])]).await;
    let error = warehouse.open(context(1), second()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("a__b__c"), "{error}");
    assert!(error.message.contains("schema a"), "{error}");
    warehouse.load(first(), vec![people(2, &[(2, "y")])]).await;
    assert_eq!(
        warehouse.rows("select id from a__b__c order by id"),
        ["1", "2"]
    );
    warehouse.execute("drop table a__b__c");
    warehouse.load(second(), vec![people(1, &[(9, "z")])]).await;
    assert_eq!(warehouse.rows("select id from a__b__c"), ["9"]);
}

#[tokio::test]
async fn of_two_schemas_that_open_together_the_later_to_write_is_refused() {
    let warehouse = Warehouse::new();
    let first = in_schema("a", merge("b__c", &["id"]));
    let second = in_schema("a__b", merge("c", &["id"]));
    let mut first = warehouse.open(context(1), first).await.unwrap();
    let mut second = warehouse.open(context(1), second).await.unwrap();
    first.write(people(1, &[(1, "x")])).await.unwrap();
    first.finish(crate::support::checkpoint(1)).await.unwrap();
    let error = second.write(people(1, &[(1, "x")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
}

#[tokio::test]
async fn an_array_whose_table_is_a_stream_rejects_its_records() {
    let warehouse = Warehouse::new();
    let stream = merge("orders__items", &["id"]);
    warehouse
        .load(stream, vec![people(1, &[(1, "mine")])])
        .await;
    let batch = json(&["id"], &[(1, ORDER), (2, BARE)]);
    let report = warehouse.load(merge("orders", &["id"]), vec![batch]).await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    assert_eq!(report.subtable_rows(), 0);
    assert_eq!(
        warehouse.rows("select table_name, reason, record from shop___sdc_rejected"),
        [format!(
            "shop__orders|Field collision on orders__items|{ORDER}"
        )]
    );
    assert_eq!(warehouse.rows("select id from shop__orders"), ["2"]);
    assert_eq!(
        warehouse.rows("select name from shop__orders__items"),
        ["mine"]
    );
}

#[tokio::test]
async fn a_stream_whose_table_is_a_subtable_has_its_records_rejected() {
    let warehouse = Warehouse::new();
    let batch = || json(&["id"], &[(1, ORDER)]);
    warehouse
        .load(merge("orders", &["id"]), vec![batch()])
        .await;
    for target in [
        merge("orders__items", &["id"]),
        replace("Orders__Items", &["id"], 1),
    ] {
        let report = warehouse.load(target, vec![people(1, &[(1, "x")])]).await;
        assert_eq!(report.books.rejected, 1);
    }
    assert_eq!(
        warehouse.rows("select reason from shop___sdc_rejected"),
        [
            "Field collision on orders__items",
            "Field collision on Orders__Items"
        ]
    );
    assert_eq!(warehouse.rows("select sku from shop__orders__items"), ["a"]);
}

#[tokio::test]
async fn a_subtable_that_is_being_replaced_for_the_first_time_is_taken() {
    let warehouse = Warehouse::new();
    let bare = json(&["id"], &[(1, BARE)]);
    warehouse
        .load(replace("orders", &["id"], 1), vec![bare])
        .await;
    let target = replace("orders", &["id"], 2);
    let mut writer = warehouse.open(context(1), target).await.unwrap();
    writer.write(json(&["id"], &[(2, ORDER)])).await.unwrap();
    writer.commit(crate::support::checkpoint(1)).await.unwrap();
    let stream = merge("orders__items", &["id"]);
    let report = warehouse.load(stream, vec![people(1, &[(1, "x")])]).await;
    assert_eq!(report.books.rejected, 1);
    writer.finish(crate::support::checkpoint(2)).await.unwrap();
    assert_eq!(warehouse.rows("select sku from shop__orders__items"), ["a"]);
}

#[tokio::test]
async fn a_table_of_the_users_own_is_not_taken_for_a_subtable() {
    let warehouse = Warehouse::new();
    let bare = json(&["id"], &[(1, BARE)]);
    warehouse.load(merge("orders", &["id"]), vec![bare]).await;
    warehouse.execute("create table shop__orders__items (mine text)");
    let batch = json(&["id"], &[(2, ORDER)]);
    let report = warehouse.load(merge("orders", &["id"]), vec![batch]).await;
    assert_eq!(report.books.rejected, 1);
}

#[tokio::test]
async fn arrays_of_one_name_share_a_table_but_not_in_one_record() {
    let warehouse = Warehouse::new();
    let records = [
        (1, r#"{"id":1,"a":{"b":[1]}}"#),
        (2, r#"{"id":2,"a__b":[2]}"#),
        (3, r#"{"id":3,"a__b":[3],"a":{"b":[33]}}"#),
    ];
    let batch = json(&["id"], &records);
    let report = warehouse.load(merge("posts", &["id"]), vec![batch]).await;
    assert_eq!((report.books.written, report.books.rejected), (2, 1));
    assert_eq!(report.subtable_rows(), 2);
    assert_eq!(
        warehouse.rows("select _sdc_source_key_id, value from shop__posts__a__b order by 1"),
        ["1|1", "2|2"]
    );
    assert_eq!(
        warehouse.rows("select reason from shop___sdc_rejected"),
        ["Field collision on posts__a__b"]
    );
}
