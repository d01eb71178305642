use selvedge_connector::{ErrorKind, LoadMode};

use crate::support::{Warehouse, int, text, written};

const OTHER_KEY: &str = "Incoming Primary Keys do not match Primary Keys in existing table";
const OTHER_KEY_TYPE: &str =
    "Incoming Primary Key type does not match Primary Key type in existing table";

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
                "select count(*), count(n), count(distinct __sdc_primary_key),
                        sum(__sdc_primary_key regexp '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$')
                 from shop.orders"
            )
            .await,
        ["4|2|4|4"]
    );
    assert_eq!(warehouse.primary_key().await, ["__sdc_primary_key"]);
}

#[tokio::test]
async fn another_key_stops_the_table_until_it_is_dropped() {
    let warehouse = Warehouse::create().await;
    let batch = || warehouse.batch(vec![int("id", &[Some(1)]), int("line", &[Some(1)])]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch()])
        .await;
    for key in [&["id", "line"][..], &["line"], &[]] {
        for mode in [LoadMode::Merge, LoadMode::Replace] {
            let target = warehouse.target(key, mode);
            let error = warehouse.try_run(target, vec![batch()]).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Data);
            assert_eq!(error.message, OTHER_KEY, "{key:?} {mode:?}");
        }
    }
    // The same names in another order are the same key.
    warehouse.execute(&["drop table shop.orders"]).await;
    for key in [&["id", "line"][..], &["line", "id"]] {
        let target = warehouse.target(key, LoadMode::Merge);
        let report = warehouse.run(target, vec![batch()]).await;
        assert_eq!(report.books, written(1));
    }
}

#[tokio::test]
async fn a_key_that_comes_is_a_change_too() {
    let warehouse = Warehouse::create().await;
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse
        .run(warehouse.target(&[], LoadMode::Merge), vec![batch()])
        .await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let error = warehouse.try_run(target, vec![batch()]).await.unwrap_err();
    assert_eq!(error.message, OTHER_KEY);
}

#[tokio::test]
async fn a_key_of_another_type_stops_the_table() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let numbers = || warehouse.batch(vec![int("id", &[Some(1), Some(2)])]);
    warehouse.run(target.clone(), vec![numbers()]).await;
    let texts = warehouse.batch(vec![text("id", &[Some("x"), Some("x")])]);
    let error = warehouse
        .try_run(target.clone(), vec![numbers(), texts])
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert_eq!(error.message, OTHER_KEY_TYPE);
    assert_eq!(warehouse.data_columns().await, ["id"]);
    let report = warehouse.run(target, vec![numbers()]).await;
    assert_eq!(report.books, written(2));
}

#[tokio::test]
async fn a_table_made_by_someone_else_is_used_as_it_is() {
    let warehouse = Warehouse::create().await;
    warehouse.create_schema().await;
    warehouse
        .execute(&[
            "create table shop.orders (id bigint primary key, v longtext, own varchar(9) default 'kept')",
            "insert into shop.orders values (1, 'theirs', 'x'), (2, 'theirs', 'y')",
        ])
        .await;
    let batch = warehouse.batch(vec![
        int("id", &[Some(1), Some(3)]),
        text("v", &[Some("a"), Some("b")]),
    ]);
    warehouse
        .run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!(
        warehouse
            .rows("select id, v, own from shop.orders order by id")
            .await,
        ["1|a|x", "2|theirs|y", "3|b|kept"]
    );
    assert!(
        warehouse
            .columns()
            .await
            .contains(&"_sdc_sequence".to_owned())
    );
}

#[tokio::test]
async fn a_key_that_does_not_tell_case_apart_is_of_another_type() {
    let warehouse = Warehouse::create().await;
    warehouse.create_schema().await;
    warehouse
        .execute(&["create table shop.orders (id varchar(99) primary key)"])
        .await;
    let batch = warehouse.batch(vec![text("id", &[Some("a")])]);
    let error = warehouse
        .try_run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await
        .unwrap_err();
    assert_eq!(error.message, OTHER_KEY_TYPE);
}

#[tokio::test]
async fn what_is_no_innodb_table_is_refused() {
    let warehouse = Warehouse::create().await;
    warehouse.create_schema().await;
    for create in [
        "create table shop.orders (id int primary key) engine = MyISAM",
        "create view shop.orders as select 1 as id",
    ] {
        warehouse.execute(&[create]).await;
        let batch = warehouse.batch(vec![int("id", &[Some(1)])]);
        let error = warehouse
            .try_run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data);
        assert!(error.message.contains("not an InnoDB table"), "{error}");
        let drop = match create.contains("view") {
            true => "drop view shop.orders",
            false => "drop table shop.orders",
        };
        warehouse.execute(&[drop]).await;
    }
}

#[tokio::test]
async fn a_missing_system_column_stops_the_table() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    warehouse
        .execute(&["alter table shop.orders drop column _sdc_sequence"])
        .await;
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
