//! New versions of a table.

use selvedge_connector::LogicalType;

use crate::support::{Cell, Warehouse, batch, checkpoint, context, people, replace, rows, written};

async fn version_one() -> Warehouse {
    let warehouse = Warehouse::new();
    warehouse
        .load(
            replace("people", &["id"], 1),
            vec![people(1, &[(1, "a"), (2, "b")])],
        )
        .await;
    warehouse
}

#[tokio::test]
async fn readers_see_the_old_version_until_the_new_one_is_complete() {
    let warehouse = version_one().await;
    let reader = warehouse.connection();
    let seen = || rows(&reader, "select id, name from shop__people order by id");
    let mut writer = warehouse
        .open(context(1), replace("people", &["id"], 2))
        .await
        .unwrap();
    writer
        .write(people(10, &[(2, "new"), (3, "c")]))
        .await
        .unwrap();
    assert_eq!(seen(), ["1|a", "2|b"]);
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert!(!report.durable);
    assert_eq!(seen(), ["1|a", "2|b"]);
    // A reader in the middle of a transaction keeps its version over the switch.
    reader.execute_batch("begin").unwrap();
    assert_eq!(seen(), ["1|a", "2|b"]);
    let report = writer.finish(checkpoint(2)).await.unwrap();
    assert!(report.durable);
    assert_eq!(report.books, written(2));
    assert_eq!(seen(), ["1|a", "2|b"]);
    reader.execute_batch("commit").unwrap();
    assert_eq!(seen(), ["2|new", "3|c"]);
    assert_eq!(
        warehouse.objects(),
        [
            "_sdc_selvedge_tables",
            "shop___sdc_selvedge_commits",
            "shop__people",
            "shop__people_pkey"
        ]
    );
}

#[tokio::test]
async fn a_cut_short_replacement_leaves_the_old_version_and_starts_over() {
    let warehouse = version_one().await;
    let mut writer = warehouse
        .open(context(1), replace("people", &["id"], 2))
        .await
        .unwrap();
    writer.write(people(10, &[(7, "x")])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(
        warehouse.rows("select id from shop__people order by id"),
        ["1", "2"]
    );
    warehouse
        .load(replace("people", &["id"], 2), vec![people(20, &[(8, "y")])])
        .await;
    assert_eq!(warehouse.rows("select id from shop__people"), ["8"]);
    assert!(
        !warehouse
            .objects()
            .contains(&"shop___sdc_next_people".to_owned())
    );
}

#[tokio::test]
async fn no_rows_replace_all_rows() {
    let warehouse = version_one().await;
    warehouse.load(replace("people", &["id"], 2), vec![]).await;
    assert_eq!(warehouse.rows("select count(*) from shop__people"), ["0"]);
}

#[tokio::test]
async fn an_older_version_is_left_out() {
    let warehouse = version_one().await;
    warehouse
        .load(replace("people", &["id"], 5), vec![people(10, &[(5, "e")])])
        .await;
    let report = warehouse
        .load(replace("people", &["id"], 4), vec![people(20, &[(4, "d")])])
        .await;
    assert_eq!(report.books.old_version, 1);
    assert_eq!(warehouse.rows("select id from shop__people"), ["5"]);
    // What is remembered of an earlier life of the stream undoes nothing.
    let mut reset = replace("people", &["id"], 4);
    reset.identity.epoch = 2;
    warehouse.load(reset, vec![people(30, &[(4, "d")])]).await;
    assert_eq!(warehouse.rows("select id from shop__people"), ["4"]);
}

#[tokio::test]
async fn the_structure_follows_the_new_rows_and_the_users_things_stay() {
    let warehouse = version_one().await;
    warehouse.execute(
        "alter table shop__people add column users_own varchar(9);
         create index users_index on shop__people (name);
         create view users_view as select name from shop__people;
         create trigger users_trigger after delete on shop__people begin select 1; end;",
    );
    let other = batch(
        10,
        &[
            ("id", LogicalType::Int64),
            ("name", LogicalType::Boolean),
            ("size", LogicalType::Float64),
        ],
        &[&[Cell::Int(1), Cell::Bool(true), Cell::Double(1.0)]],
    );
    warehouse
        .load(replace("people", &["id"], 2), vec![other])
        .await;
    assert_eq!(
        warehouse.columns("shop__people"),
        [
            "id bigint",
            "name boolean",
            "size double",
            "users_own varchar(9)"
        ]
    );
    assert_eq!(warehouse.rows("select * from users_view"), ["1"]);
    for object in ["users_index", "users_trigger", "shop__people_pkey"] {
        assert!(warehouse.objects().contains(&object.to_owned()), "{object}");
    }
}

#[tokio::test]
async fn an_index_that_cannot_stay_is_reported() {
    let warehouse = version_one().await;
    warehouse.execute(
        "create index users_index on shop__people (name);
         alter table shop__people add column gone__st text;
         create index gone_index on shop__people (gone__st);",
    );
    let other = batch(
        10,
        &[("id", LogicalType::Int64), ("gone", LogicalType::Int64)],
        &[&[Cell::Int(1), Cell::Int(2)]],
    );
    let report = warehouse
        .load(replace("people", &["id"], 2), vec![other])
        .await;
    assert!(
        report.notes.iter().any(|note| note.contains("gone_index")),
        "{:?}",
        report.notes
    );
    assert!(warehouse.objects().contains(&"users_index".to_owned()));
}

#[tokio::test]
async fn a_keyless_table_is_replaced_whole() {
    let warehouse = Warehouse::new();
    for version in [1, 2] {
        warehouse
            .load(
                replace("people", &[], version),
                vec![people(version * 10, &[(1, "a"), (1, "a")])],
            )
            .await;
    }
    assert_eq!(
        warehouse.rows("select count(*), min(_sdc_sequence) from shop__people"),
        ["2|20"]
    );
}
