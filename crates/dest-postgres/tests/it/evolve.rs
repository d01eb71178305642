use selvedge_connector::{ErrorKind, LoadMode};

use crate::support::{Warehouse, boolean, float, int, long, text, written};

#[tokio::test]
async fn the_documented_split_comes_out_cell_by_cell() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    for load in [
        vec![int("id", &[Some(1)]), int("reading", &[Some(12)])],
        vec![int("id", &[Some(2)]), text("reading", &[Some("n/a")])],
        vec![int("id", &[Some(3)]), int("reading", &[Some(7)])],
        vec![int("id", &[Some(1)]), boolean("reading", &[Some(true)])],
    ] {
        warehouse
            .run(target.clone(), vec![warehouse.batch(load)])
            .await;
    }
    assert_eq!(
        warehouse
            .rows("select id, reading__it, reading__st, reading__bo from shop.orders order by id")
            .await,
        ["1|-|-|true", "2|-|n/a|-", "3|7|-|-"]
    );
}

#[tokio::test]
async fn a_split_in_the_middle_of_a_load_loses_nothing() {
    for mode in [LoadMode::Merge, LoadMode::Replace] {
        let warehouse = Warehouse::create().await;
        let target = warehouse.target(&["id"], mode);
        // The first round is a first load, the second an upsert or a replacement.
        for _ in 0..2 {
            let batches = vec![
                warehouse.batch(vec![int("id", &[Some(1)]), int("v", &[Some(1)])]),
                warehouse.batch(vec![int("id", &[Some(2)]), text("v", &[Some("two")])]),
                warehouse.batch(vec![int("id", &[Some(3)]), float("v", &[Some(0.5)])]),
            ];
            let report = warehouse.run(target.clone(), batches).await;
            assert_eq!(report.books, written(3));
            assert_eq!(
                warehouse
                    .rows("select id, v__it, v__st, v__do from shop.orders order by id")
                    .await,
                ["1|1|-|-", "2|-|two|-", "3|-|-|0.5"]
            );
        }
    }
}

#[tokio::test]
async fn integers_widen_in_place_key_included() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let narrow = warehouse.batch(vec![int("id", &[Some(1)]), int("n", &[Some(1)])]);
    warehouse.run(target.clone(), vec![narrow]).await;
    let big = 1 << 40;
    let wide = warehouse.batch(vec![
        long("id", &[Some(1), Some(big)]),
        long("n", &[Some(2), Some(big)]),
    ]);
    warehouse.run(target, vec![wide]).await;
    assert_eq!(warehouse.data_columns().await, ["id", "n"]);
    assert_eq!(
        warehouse
            .rows("select id, n from shop.orders order by id")
            .await,
        ["1|2".to_owned(), format!("{big}|{big}")]
    );
    assert_eq!(warehouse.primary_key().await.len(), 1);
}

#[tokio::test]
async fn a_column_comes_with_its_first_value_behind_all_others() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let without = warehouse.batch(vec![text("late", &[None]), int("id", &[Some(1)])]);
    let with = warehouse.batch(vec![text("late", &[Some("x")]), int("id", &[Some(2)])]);
    warehouse.run(target, vec![without, with]).await;
    assert_eq!(warehouse.columns().await.last().unwrap(), "late");
    assert_eq!(
        warehouse
            .rows("select id, late from shop.orders order by id")
            .await,
        ["1|-", "2|x"]
    );
}

#[tokio::test]
async fn a_dropped_column_is_made_again() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)]), text("v", &[Some("x")])]);
    warehouse.run(target.clone(), vec![batch(1)]).await;
    warehouse
        .client
        .batch_execute("alter table shop.orders drop column v")
        .await
        .unwrap();
    warehouse.run(target, vec![batch(2)]).await;
    assert_eq!(
        warehouse
            .rows("select id, v from shop.orders order by id")
            .await,
        ["1|-", "2|x"]
    );
}

#[tokio::test]
async fn a_dropped_split_column_stops_the_table() {
    let warehouse = Warehouse::create().await;
    let mut target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = warehouse.batch(vec![int("id", &[Some(1)]), text("v", &[Some("x")])]);
    target.schema = batch.schema.clone();
    warehouse.run(target.clone(), vec![batch]).await;
    let batch = || warehouse.batch(vec![int("id", &[Some(2)]), int("v", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    warehouse
        .client
        .batch_execute("alter table shop.orders drop column v__it")
        .await
        .unwrap();
    let error = warehouse.try_run(target, vec![batch()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("v__st"), "{error}");
}

#[tokio::test]
async fn a_dropped_table_is_made_again_with_new_rows_only() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)])]);
    warehouse.run(target.clone(), vec![batch(1)]).await;
    warehouse
        .client
        .batch_execute("drop table shop.orders")
        .await
        .unwrap();
    warehouse.run(target, vec![batch(2)]).await;
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["2"]);
    assert_eq!(warehouse.primary_key().await.len(), 1);
}

#[tokio::test]
async fn a_column_whose_type_the_user_changed_is_taken_as_it_is() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)]), int("v", &[Some(7)])]);
    warehouse.run(target.clone(), vec![batch(1)]).await;
    warehouse
        .client
        .batch_execute("alter table shop.orders alter column v type text")
        .await
        .unwrap();
    warehouse.run(target, vec![batch(2)]).await;
    assert_eq!(
        warehouse
            .rows("select id, v__st, v__it from shop.orders order by id")
            .await,
        ["1|7|-", "2|-|7"]
    );
}
