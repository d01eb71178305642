use selvedge_connector::LoadMode;

use crate::support::{Warehouse, batch_from, int, text};

#[tokio::test]
async fn a_rejected_record_is_kept_with_its_reason() {
    let warehouse = Warehouse::create().await;
    let batch = warehouse.batch(vec![
        int("id", &[Some(1), Some(2), Some(3)]),
        text("v__st", &[None, Some("x"), None]),
    ]);
    let report = warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (2, 1));
    assert_eq!(
        warehouse
            .rows("select id from shop.orders order by id")
            .await,
        ["1", "3"]
    );
    assert_eq!(
        warehouse.rows("select * from shop._sdc_rejected").await,
        [
            "2031-02-03 05:00:00.000000|orders|column names from client should not include reserved datatype suffix on \
             [v__st]|{\"id\":2,\"v__st\":\"x\"}"
        ]
    );
}

#[tokio::test]
async fn colliding_fields_reject_records_that_have_both() {
    let warehouse = Warehouse::create().await;
    let batch = warehouse.batch(vec![
        int("id", &[Some(1), Some(2), Some(3)]),
        text("na-me", &[Some("a"), None, Some("c")]),
        text("NA_me", &[None, Some("b"), Some("d")]),
    ]);
    let report = warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.rejected), (2, 1));
    assert_eq!(
        warehouse
            .rows("select id, na_me from shop.orders order by id")
            .await,
        ["1|a", "2|b"]
    );
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        ["Field collision on na_me"]
    );
}

#[tokio::test]
async fn a_column_name_that_is_too_long_costs_only_the_column() {
    let warehouse = Warehouse::create().await;
    let long = "c".repeat(65);
    let fits = "d".repeat(64);
    let (_, id_type, ids) = int("id", &[Some(1)]);
    let (_, text_type, texts) = text("x", &[Some("x")]);
    let batch = batch_from(
        vec![
            ("id".to_owned(), id_type, ids),
            (long.clone(), text_type.clone(), texts.clone()),
            (fits.clone(), text_type, texts),
        ],
        1,
    );
    let report = warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!(report.books.written, 1);
    assert_eq!(warehouse.data_columns().await, ["id".to_owned(), fits]);
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        [format!("Column name [{long}] is too long for MySQL")]
    );
}

#[tokio::test]
async fn a_table_without_a_usable_name_rejects_everything() {
    let warehouse = Warehouse::create().await;
    let long = "t".repeat(61);
    for (name, reason) in [
        (
            long.clone(),
            format!("Table name [{long}] is too long for MySQL"),
        ),
        (
            "_sdc_x".to_owned(),
            "Table name [_sdc_x] uses a reserved prefix".to_owned(),
        ),
        (
            "orders_OLD".to_owned(),
            "Table name [orders_OLD] uses a reserved suffix".to_owned(),
        ),
    ] {
        let mut target = warehouse.target(&["id"], LoadMode::Replace);
        target.table_name.clone_from(&name);
        let batch = warehouse.batch(vec![int("id", &[Some(1), None])]);
        let report = warehouse.run(target, vec![batch]).await;
        assert_eq!(report.books.rejected, 2);
        assert_eq!(
            warehouse
                .rows(&format!(
                    "select reason, record from shop._sdc_rejected where table_name = '{name}'"
                ))
                .await,
            [
                format!("{reason}|{{\"id\":1}}"),
                format!("{reason}|{{\"id\":null}}")
            ]
        );
        assert!(!warehouse.exists(&name).await);
    }
}

#[tokio::test]
async fn names_follow_the_rules_and_are_quoted() {
    let warehouse = Warehouse::create().await;
    let (_, int_type, ids) = int("id", &[Some(1)]);
    let batch = batch_from(
        ["Id", "4customer#id", "select", "a b", "a`b'c", "_own"]
            .into_iter()
            .map(|name| (name, int_type.clone(), ids.clone()))
            .collect(),
        1,
    );
    let mut target = warehouse.target(&["Id"], LoadMode::Merge);
    target.table_name = "Order `Lines`; x".to_owned();
    for _ in 0..2 {
        let batch = batch_from(
            ["Id", "4customer#id", "select", "a b", "a`b'c", "_own"]
                .into_iter()
                .map(|name| (name, int_type.clone(), ids.clone()))
                .collect(),
            2,
        );
        warehouse.run(target.clone(), vec![batch]).await;
    }
    drop(batch);
    assert_eq!(
        warehouse
            .rows("select id, 4customer_id, `select`, a_b, a_b_c, _own from shop.order__lines___x")
            .await,
        ["1|1|1|1|1|1"]
    );
}
