use selvedge_connector::{ErrorKind, LoadMode};

use crate::support::{Warehouse, int, text, written};

#[tokio::test]
async fn a_keyless_table_gets_generated_identities_and_appends() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&[], LoadMode::Merge);
    for _ in 0..2 {
        let batch = warehouse.batch(vec![int("n", &[Some(1), None])]);
        let report = warehouse.run(target.clone(), vec![batch]).await;
        assert_eq!(report.books, written(2));
    }
    assert_eq!(
        warehouse
            .rows(
                "select count(*), count(n), count(distinct __sdc_primary_key::uuid),
                        bool_and(__sdc_primary_key = __sdc_primary_key::uuid::text) from shop.orders"
            )
            .await,
        ["4|2|4|true"]
    );
    assert!(warehouse.primary_key().await.is_empty());
}

#[tokio::test]
async fn another_key_turns_the_table_to_appending() {
    let warehouse = Warehouse::create().await;
    let batch = || warehouse.batch(vec![int("id", &[Some(1)]), int("line", &[Some(1)])]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch()])
        .await;
    let target = warehouse.target(&["id", "line"], LoadMode::Merge);
    let report = warehouse.run(target.clone(), vec![batch()]).await;
    assert!(report.notes.iter().any(|note| note.contains("appended")));
    assert!(warehouse.primary_key().await.is_empty());
    warehouse.run(target, vec![batch()]).await;
    let null_key = warehouse.batch(vec![int("id", &[None]), int("line", &[Some(2)])]);
    warehouse
        .run(
            warehouse.target(&["id", "line"], LoadMode::Merge),
            vec![null_key],
        )
        .await;
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["4"]
    );
}

#[tokio::test]
async fn a_key_that_goes_or_comes_is_a_change_too() {
    let warehouse = Warehouse::create().await;
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch()])
        .await;
    warehouse
        .run(warehouse.target(&[], LoadMode::Merge), vec![batch()])
        .await;
    assert!(warehouse.primary_key().await.is_empty());
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch()])
        .await;
    assert_eq!(
        warehouse
            .rows("select id, __sdc_primary_key is null as without from shop.orders order by _sdc_sequence")
            .await,
        ["1|true", "1|false", "1|true"]
    );
}

#[tokio::test]
async fn a_key_of_another_type_turns_the_table_to_appending() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    warehouse
        .run(
            target.clone(),
            vec![warehouse.batch(vec![int("id", &[Some(1)])])],
        )
        .await;
    // The change comes in the middle of a load: what was staged before it still counts by key.
    let numbers = warehouse.batch(vec![int("id", &[Some(1), Some(2)])]);
    let texts = warehouse.batch(vec![text("id", &[Some("x"), Some("x")])]);
    let report = warehouse.run(target.clone(), vec![numbers, texts]).await;
    assert_eq!(report.books, written(4));
    assert_eq!(
        warehouse
            .rows("select id__it, id__st from shop.orders order by _sdc_sequence")
            .await,
        ["1|-", "2|-", "-|x", "-|x"]
    );
    assert!(warehouse.primary_key().await.is_empty());
    let report = warehouse
        .run(target, vec![warehouse.batch(vec![int("id", &[Some(1)])])])
        .await;
    assert_eq!(report.books, written(1));
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["5"]
    );
}

#[tokio::test]
async fn a_table_made_by_someone_else_is_used_as_it_is() {
    let warehouse = Warehouse::create().await;
    warehouse
        .client
        .batch_execute(
            "create schema shop;
             create table shop.orders (id bigint primary key, v text, own text default 'kept');
             insert into shop.orders values (1, 'theirs'), (2, 'theirs')",
        )
        .await
        .unwrap();
    let batch = warehouse.batch(vec![
        int("id", &[Some(1), Some(3)]),
        text("v", &[Some("a"), Some("b")]),
    ]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!(
        warehouse
            .rows("select id, v from shop.orders order by id")
            .await,
        ["1|a", "2|theirs", "3|b"]
    );
    assert!(
        warehouse
            .columns()
            .await
            .contains(&"_sdc_sequence".to_owned())
    );
}

#[tokio::test]
async fn a_foreign_key_constraint_is_not_ours_to_drop() {
    let warehouse = Warehouse::create().await;
    warehouse
        .client
        .batch_execute(
            "create schema shop; create table shop.orders (id integer, v text primary key)",
        )
        .await
        .unwrap();
    let batch = warehouse.batch(vec![int("id", &[Some(1)]), text("v", &[Some("a")])]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!(
        warehouse.primary_key().await,
        ["orders_pkey|PRIMARY KEY (v)"]
    );
}

#[tokio::test]
async fn a_missing_system_column_stops_the_table() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    warehouse
        .client
        .batch_execute("alter table shop.orders drop column _sdc_sequence")
        .await
        .unwrap();
    let error = warehouse.try_run(target, vec![batch()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("_sdc_sequence"), "{error}");
    // A replacement brings it back.
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Replace), vec![batch()])
        .await;
    assert!(
        warehouse
            .columns()
            .await
            .contains(&"_sdc_sequence".to_owned())
    );
}
