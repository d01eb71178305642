use selvedge_connector::{Destination, ErrorKind, LoadMode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{
    Fields, Warehouse, batch_from, checkpoint, context, int, json_batch, rows as select, text,
    written,
};

fn rows(ids: &[i32], values: &[&str]) -> Fields {
    vec![
        int("id", &ids.iter().copied().map(Some).collect::<Vec<_>>()),
        text("v", &values.iter().copied().map(Some).collect::<Vec<_>>()),
    ]
}

#[tokio::test]
async fn the_greatest_sequence_wins_within_a_load_and_against_the_table() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let first = batch_from(rows(&[1, 2], &["a", "b"]), 100);
    warehouse.run(target.clone(), vec![first]).await;
    // Sequences 200 to 203: key 1 twice, key 3 once; then an old row of key 2 and a repetition of key 1.
    let newer = batch_from(rows(&[1, 3, 1], &["c", "d", "e"]), 200);
    let older = batch_from(rows(&[2, 3], &["old", "old"]), 50);
    let equal = batch_from(rows(&[2], &["equal"]), 101);
    let report = warehouse.run(target, vec![newer, older, equal]).await;
    assert_eq!(
        (
            report.books.written,
            report.books.superseded,
            report.books.older_sequence
        ),
        (2, 3, 1)
    );
    assert_eq!(
        warehouse
            .rows("select id, v, _sdc_sequence from shop.orders order by id")
            .await,
        ["1|e|202", "2|b|101", "3|d|201"]
    );
}

#[tokio::test]
async fn each_checkpoint_is_a_transaction_of_its_own() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    warehouse
        .run(target.clone(), vec![warehouse.batch(rows(&[1], &["a"]))])
        .await;
    let mut writer = warehouse.open(target, 1).await.unwrap();
    for (number, value) in ["b", "c"].into_iter().enumerate() {
        writer
            .write(warehouse.batch(rows(&[1, 2], &[value, value])))
            .await
            .unwrap();
        let report = writer.commit(checkpoint(number as i64 + 1)).await.unwrap();
        assert_eq!(report.books, written(2));
        assert_eq!(
            warehouse
                .rows("select id, v from shop.orders order by id")
                .await,
            [format!("1|{value}"), format!("2|{value}")]
        );
    }
    writer
        .write(warehouse.batch(rows(&[1], &["lost"])))
        .await
        .unwrap();
    drop(writer);
    assert_eq!(
        warehouse
            .rows("select id, v from shop.orders order by id")
            .await,
        ["1|c", "2|c"]
    );
    assert_eq!(warehouse.mark().await, ["1|2|1|p2|orders|5|ready"]);
}

#[tokio::test]
async fn a_newer_row_replaces_all_columns() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    warehouse
        .run(target.clone(), vec![warehouse.batch(rows(&[1], &["a"]))])
        .await;
    let batch = warehouse.batch(vec![int("id", &[Some(1)]), int("n", &[Some(7)])]);
    warehouse.run(target, vec![batch]).await;
    assert_eq!(
        warehouse.rows("select id, v, n from shop.orders").await,
        ["1|-|7"]
    );
}

#[tokio::test]
async fn columns_and_rows_of_the_user_are_tolerated() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    warehouse
        .run(target.clone(), vec![warehouse.batch(rows(&[1], &["a"]))])
        .await;
    warehouse
        .client
        .batch_execute(
            "alter table shop.orders add column twice integer generated always as (id * 2) stored;
             alter table shop.orders add column place point;
             update shop.orders set place = '(1,2)', _sdc_sequence = null",
        )
        .await
        .unwrap();
    warehouse
        .run(target, vec![warehouse.batch(rows(&[1, 2], &["b", "c"]))])
        .await;
    assert_eq!(
        warehouse
            .rows("select id, v, twice, place from shop.orders order by id")
            .await,
        ["1|b|2|(1,2)", "2|c|4|-"]
    );
}

#[tokio::test]
async fn keys_are_compared_exactly() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["k"], LoadMode::Merge);
    let keys = [Some("a"), Some("A"), Some("a "), Some("")];
    for _ in 0..2 {
        let report = warehouse
            .run(
                target.clone(),
                vec![warehouse.batch(vec![text("k", &keys)])],
            )
            .await;
        assert_eq!(report.books, written(4));
    }
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["4"]
    );
}

#[tokio::test]
async fn a_stop_does_not_wait_for_locks() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    warehouse
        .run(target.clone(), vec![warehouse.batch(rows(&[1], &["a"]))])
        .await;
    let stop = CancellationToken::new();
    let mut writer = warehouse
        .destination
        .open(context(1, stop.clone()), target)
        .await
        .unwrap();
    writer
        .write(warehouse.batch(rows(&[1], &["b"])))
        .await
        .unwrap();
    warehouse
        .client
        .batch_execute("begin; lock table shop.orders in exclusive mode")
        .await
        .unwrap();
    let watcher = warehouse.database.connect().await;
    let stopping = async {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        while select(&watcher, waiting).await == ["0"] {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (committed, ()) = tokio::join!(writer.commit(checkpoint(1)), stopping);
    assert_eq!(committed.unwrap_err().kind, ErrorKind::Stopped);
    drop(writer);
    warehouse.client.batch_execute("rollback").await.unwrap();
    assert_eq!(warehouse.rows("select v from shop.orders").await, ["a"]);
}

#[tokio::test]
async fn a_constraint_of_the_user_fails_the_load_with_the_servers_code() {
    let warehouse = Warehouse::create().await;
    for key in [&["id"][..], &[]] {
        let mut target = warehouse.target(key, LoadMode::Merge);
        target.table_name = format!("t{}", key.len());
        let table = format!("shop.{}", target.table_name);
        warehouse
            .run(target.clone(), vec![warehouse.batch(rows(&[1], &["a"]))])
            .await;
        warehouse
            .client
            .batch_execute(&format!("alter table {table} add check (v <> 'bad')"))
            .await
            .unwrap();
        // Enough rows that the server has given up long before the last of them is sent.
        let ids: Vec<i32> = (0..100_000).collect();
        let values = vec!["bad"; ids.len()];
        let error = warehouse
            .try_run(target, vec![warehouse.batch(rows(&ids, &values))])
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "{error}");
        assert_eq!(error.code.as_deref(), Some("23514"));
        assert_eq!(
            warehouse.rows(&format!("select v from {table}")).await,
            ["a"]
        );
    }
}

#[tokio::test]
async fn sequences_that_stop_ascending_in_the_middle_of_a_first_load_are_no_trouble() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |records: &[(i64, &str)]| {
        let records: Vec<(i64, Value)> = records
            .iter()
            .map(|(sequence, value)| (*sequence, json!({"id": 1, "v": value})))
            .collect();
        json_batch(&["id"], &json!({}), &records)
    };
    let mut writer = warehouse.open(target, 1).await.unwrap();
    writer.write(batch(&[(50, "stored")])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    // The first record of the second commit is in the table already when its equals come.
    writer.write(batch(&[(60, "in the table")])).await.unwrap();
    let equals = [(60, "equal"), (60, "later"), (55, "older")];
    writer.write(batch(&equals)).await.unwrap();
    writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(
        warehouse
            .rows("select v, _sdc_sequence from shop.orders")
            .await,
        ["later|60"]
    );
}
