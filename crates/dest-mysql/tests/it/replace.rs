use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use selvedge_connector::{ErrorKind, LoadMode, ShapedBatch};
use selvedge_testkit::mysql::rows;

use crate::support::{Warehouse, checkpoint, float, int, text, written};

fn numbered(warehouse: &Warehouse, count: i32, value: &'static str) -> ShapedBatch {
    let ids: Vec<_> = (0..count).map(Some).collect();
    let values: Vec<_> = (0..count).map(|_| Some(value)).collect();
    warehouse.batch(vec![int("id", &ids), text("v", &values)])
}

#[tokio::test]
async fn readers_see_the_old_rows_or_the_new_ones() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 500, "v0")])
        .await;
    let mut reader = warehouse.schema.connect().await;
    let query = warehouse.sql("select v, count(*) from shop.orders group by v");
    let done = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&done);
    let watching = tokio::spawn(async move {
        let mut seen = Vec::new();
        while !watched.load(Ordering::SeqCst) {
            let now = rows(&mut reader, &query).await;
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
        seen
    });
    let versions = ["v1", "v2", "v3", "v4"];
    for (round, value) in versions.into_iter().enumerate() {
        let count = 600 + 100 * i32::try_from(round).unwrap();
        let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
        writer
            .write(numbered(&warehouse, count, value))
            .await
            .unwrap();
        assert!(!writer.commit(checkpoint(1)).await.unwrap().durable);
        let report = writer.finish(checkpoint(2)).await.unwrap();
        assert_eq!(report.books, written(u64::try_from(count).unwrap()));
    }
    done.store(true, Ordering::SeqCst);
    let seen = watching.await.unwrap();
    let allowed = ["v0|500", "v1|600", "v2|700", "v3|800", "v4|900"];
    for state in seen {
        assert!(
            state.len() == 1 && allowed.contains(&state[0].as_str()),
            "a reader saw {state:?}"
        );
    }
    assert_eq!(
        warehouse
            .rows("select v, count(*) from shop.orders group by v")
            .await,
        ["v4|900"]
    );
}

#[tokio::test]
async fn a_replacement_that_is_cut_short_changes_nothing() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 3, "old")])
        .await;
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    writer.write(numbered(&warehouse, 5, "new")).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(
        warehouse
            .rows("select v, count(*) from shop.orders group by v")
            .await,
        ["old|3"]
    );
    let report = warehouse
        .run(target, vec![numbered(&warehouse, 4, "new")])
        .await;
    assert_eq!(report.books, written(4));
    assert_eq!(
        warehouse
            .rows("select v, count(*) from shop.orders group by v")
            .await,
        ["new|4"]
    );
    assert_eq!(
        warehouse.tables().await,
        ["_sdc_selvedge_commits", "orders"]
    );
}

#[tokio::test]
async fn zero_rows_empty_the_table() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 3, "old")])
        .await;
    warehouse.run(target, vec![]).await;
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["0"]
    );
    assert_eq!(warehouse.data_columns().await, ["id", "v"]);
}

#[tokio::test]
async fn the_structure_follows_the_new_rows_and_what_is_the_users_stays() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    let first = warehouse.batch(vec![
        int("id", &[Some(1), Some(2)]),
        int("split", &[Some(1), Some(2)]),
        int("retyped", &[Some(1), None]),
        text("gone", &[Some("x"), None]),
    ]);
    let second = warehouse.batch(vec![int("id", &[Some(3)]), text("split", &[Some("x")])]);
    warehouse.run(target.clone(), vec![first, second]).await;
    warehouse
        .execute(&[
            "alter table shop.orders add column own text, add index ours (retyped, id)",
            "create view shop.seen as select id from shop.orders",
        ])
        .await;
    let batch = warehouse.batch(vec![
        int("id", &[Some(1)]),
        text("split", &[Some("y")]),
        float("retyped", &[Some(0.5)]),
        text("gone", &[None]),
        text("fresh", &[Some("z")]),
    ]);
    warehouse.run(target, vec![batch]).await;
    assert_eq!(
        warehouse.data_columns().await,
        ["id", "gone", "own", "split", "retyped", "fresh"]
    );
    assert_eq!(
        warehouse
            .rows("select id, gone, own, split, retyped, fresh from shop.orders")
            .await,
        ["1|-|-|y|0.5|z"]
    );
    assert_eq!(warehouse.rows("select id from shop.seen").await, ["1"]);
    assert_eq!(
        warehouse.tables().await,
        ["_sdc_selvedge_commits", "orders", "seen"]
    );
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|ready"]);
}

#[tokio::test]
async fn a_table_that_only_has_to_grow_is_not_exchanged() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 3, "old")])
        .await;
    // A trigger belongs to the table, not to its name.
    warehouse
        .execute(&["create trigger shop.t before insert on shop.orders for each row set new.v = upper(new.v)"])
        .await;
    let batch = warehouse.batch(vec![
        int("id", &[Some(1)]),
        text("v", &[Some("a")]),
        float("more", &[Some(0.5)]),
    ]);
    warehouse.run(target, vec![batch]).await;
    assert_eq!(
        warehouse.rows("select id, v, more from shop.orders").await,
        ["1|A|0.5"]
    );
}

#[tokio::test]
async fn the_key_may_change_with_a_new_life_of_the_stream() {
    let warehouse = Warehouse::create().await;
    let mut epoch = 0;
    let mut run = async |key: &[&str], id: &'static str| {
        let batch = warehouse.batch(vec![
            text("id", &[Some(id)]),
            int("line", &[Some(1)]),
            text("v", &[Some("x")]),
        ]);
        let mut target = warehouse.target(key, LoadMode::Replace);
        epoch += 1;
        target.identity.epoch = epoch;
        warehouse.run(target, vec![batch]).await;
    };
    run(&["id"], "a").await;
    run(&["id", "line"], "a").await;
    assert_eq!(warehouse.primary_key().await, ["id", "line"]);
    run(&[], "a").await;
    assert_eq!(warehouse.primary_key().await, ["__sdc_primary_key"]);
    run(&["id"], "b").await;
    assert_eq!(warehouse.primary_key().await, ["id"]);
    // And its type.
    let batch = warehouse.batch(vec![int("id", &[Some(4)])]);
    let mut target = warehouse.target(&["id"], LoadMode::Replace);
    target.identity.epoch = 9;
    warehouse.run(target.clone(), vec![batch]).await;
    assert_eq!(warehouse.primary_key().await, ["id"]);
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["4"]);
    let batch = warehouse.batch(vec![int("id", &[Some(4), Some(5)])]);
    target.mode = LoadMode::Merge;
    let report = warehouse.run(target, vec![batch]).await;
    assert_eq!(report.books, written(2));
}

#[tokio::test]
async fn a_swap_that_was_cut_short_is_cleaned_up_and_done_again() {
    // Before the exchange there is a table beside the old one, behind it the old one is beside the new.
    for leftover in ["orders_stg", "orders_old"] {
        let warehouse = Warehouse::create().await;
        let target = warehouse.target(&["id"], LoadMode::Replace);
        warehouse
            .run(target.clone(), vec![numbered(&warehouse, 3, "old")])
            .await;
        warehouse
            .execute(&[
                &format!("create table shop.{leftover} (id int)"),
                "update shop._sdc_selvedge_commits set state = 'swapping', position = null",
            ])
            .await;
        let retyped = || warehouse.batch(vec![int("id", &[Some(1)]), float("v", &[Some(0.5)])]);
        let report = warehouse.run(target.clone(), vec![retyped()]).await;
        assert_eq!(report.books, written(1));
        assert_eq!(
            warehouse.rows("select id, v from shop.orders").await,
            ["1|0.5"]
        );
        assert_eq!(
            warehouse.tables().await,
            ["_sdc_selvedge_commits", "orders"]
        );
        // A table of that name that is not ours is in the way, and stays.
        warehouse
            .execute(&[&format!("create table shop.{leftover} (id int)")])
            .await;
        let error = warehouse
            .try_run(target, vec![numbered(&warehouse, 3, "text")])
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data);
        assert!(error.message.contains(leftover), "{error}");
        assert!(warehouse.exists(leftover).await);
        assert_eq!(
            warehouse.rows("select id, v from shop.orders").await,
            ["1|0.5"]
        );
    }
}

#[tokio::test]
async fn readers_of_a_table_whose_structure_changes_see_the_old_rows_or_the_new_ones() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 500, "v0")])
        .await;
    let mut reader = warehouse.schema.connect().await;
    let query = warehouse.sql("select count(*), count(v) from shop.orders");
    let done = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&done);
    let watching = tokio::spawn(async move {
        let mut seen = Vec::new();
        while !watched.load(Ordering::SeqCst) {
            let now = rows(&mut reader, &query).await;
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
        seen
    });
    let ids: Vec<_> = (0..600).map(Some).collect();
    let floats: Vec<_> = ids.iter().map(|_| Some(0.5)).collect();
    for round in 0..4 {
        let batch = match round % 2 {
            0 => warehouse.batch(vec![int("id", &ids), float("v", &floats)]),
            _ => numbered(&warehouse, 700, "text"),
        };
        warehouse.run(target.clone(), vec![batch]).await;
    }
    done.store(true, Ordering::SeqCst);
    for state in watching.await.unwrap() {
        assert!(
            ["500|500", "600|600", "700|700"].contains(&state[0].as_str()),
            "a reader saw {state:?}"
        );
    }
}

#[tokio::test]
async fn repeated_keys_within_a_version_keep_the_greatest_sequence() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    for round in 0..2 {
        let batch = warehouse.batch(vec![
            int("id", &[Some(1), Some(2), Some(1), None]),
            text("v", &[Some("a"), Some("b"), Some("c"), Some("d")]),
        ]);
        let report = warehouse.run(target.clone(), vec![batch]).await;
        assert_eq!(
            (
                report.books.written,
                report.books.superseded,
                report.books.null_key
            ),
            (2, 1, 1),
            "round {round}"
        );
        assert_eq!(
            warehouse
                .rows("select id, v from shop.orders order by id")
                .await,
            ["1|c", "2|b"]
        );
    }
}

#[tokio::test]
async fn a_keyless_replacement_counts_every_row() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&[], LoadMode::Replace);
    for _ in 0..2 {
        let batch = warehouse.batch(vec![int("n", &[Some(1), Some(1)])]);
        let report = warehouse.run(target.clone(), vec![batch]).await;
        assert_eq!(report.books, written(2));
    }
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["2"]
    );
}

#[tokio::test]
async fn a_late_replacement_is_refused() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    warehouse
        .run(target.clone(), vec![numbered(&warehouse, 3, "old")])
        .await;
    let mut late = warehouse.open(target.clone(), 1).await.unwrap();
    late.write(numbered(&warehouse, 4, "late")).await.unwrap();
    let mut newer = warehouse.open(target, 2).await.unwrap();
    newer.write(numbered(&warehouse, 5, "newer")).await.unwrap();
    newer.finish(checkpoint(1)).await.unwrap();
    assert_eq!(
        late.commit(checkpoint(1)).await.unwrap_err().kind,
        ErrorKind::Stopped
    );
    assert_eq!(
        late.finish(checkpoint(2)).await.unwrap_err().kind,
        ErrorKind::Stopped
    );
    assert_eq!(
        warehouse
            .rows("select v, count(*) from shop.orders group by v")
            .await,
        ["newer|5"]
    );
}

#[tokio::test]
async fn records_of_nulls_have_their_place_in_a_table_that_is_there() {
    let warehouse = Warehouse::create().await;
    let nulls = || warehouse.batch(vec![int("n", &[None, None])]);
    let target = warehouse.target(&[], LoadMode::Replace);
    let report = warehouse.run(target.clone(), vec![nulls()]).await;
    assert_eq!(report.books.null_key, 2);
    assert!(!warehouse.exists("orders").await);
    let batch = warehouse.batch(vec![int("n", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch]).await;
    let report = warehouse.run(target, vec![nulls()]).await;
    assert_eq!(report.books, written(2));
    assert_eq!(
        warehouse
            .rows("select count(*), count(n), count(_sdc_sequence) from shop.orders")
            .await,
        ["2|0|2"]
    );
}
