use selvedge_connector::{ErrorKind, LoadMode};
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, checkpoint, context, int, text, written};

#[tokio::test]
async fn a_first_load_creates_schema_table_key_and_mark() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = warehouse.batch(vec![
        int("id", &[Some(2), Some(1)]),
        text("label", &[Some("b"), None]),
        text("note", &[None, None]),
    ]);
    let report = warehouse.run(target, vec![batch]).await;
    assert_eq!(report.books, written(2));
    assert!(report.durable);
    assert_eq!(
        warehouse.columns().await,
        [
            "id",
            "label",
            "_sdc_extracted_at",
            "_sdc_received_at",
            "_sdc_batched_at",
            "_sdc_sequence",
            "_sdc_table_version"
        ]
    );
    assert_eq!(
        warehouse
            .rows("select * from shop.orders order by id")
            .await,
        [
            "1|-|2031-02-03 04:05:06.789012|2031-02-03 04:05:06.789012|2031-02-03 04:05:06.789012|1001|5",
            "2|b|2031-02-03 04:05:06.789012|2031-02-03 04:05:06.789012|2031-02-03 04:05:06.789012|1000|5"
        ]
    );
    assert_eq!(warehouse.primary_key().await, ["id"]);
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|ready"]);
}

#[tokio::test]
async fn a_stream_without_rows_creates_nothing() {
    let warehouse = Warehouse::create().await;
    for mode in [LoadMode::Merge, LoadMode::Replace] {
        let target = warehouse.target(&["id"], mode);
        let mut writer = warehouse.open(target, 1).await.unwrap();
        writer
            .write(warehouse.batch(vec![int("id", &[])]))
            .await
            .unwrap();
        assert!(writer.commit(checkpoint(1)).await.unwrap().durable);
        writer.finish(checkpoint(2)).await.unwrap();
        let schema = format!("show databases like '{}'", warehouse.schema.name);
        assert!(warehouse.rows(&schema).await.is_empty());
    }
}

#[tokio::test]
async fn rows_of_a_first_load_are_visible_at_every_checkpoint() {
    let warehouse = Warehouse::create().await;
    let mut writer = warehouse
        .open(warehouse.target(&["id"], LoadMode::Merge), 1)
        .await
        .unwrap();
    writer
        .write(warehouse.batch(vec![int("id", &[Some(1)])]))
        .await
        .unwrap();
    let rows = "select count(*) from shop.orders";
    assert_eq!(warehouse.rows(rows).await, ["0"]);
    assert!(writer.commit(checkpoint(1)).await.unwrap().durable);
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|loading"]);
    writer
        .write(warehouse.batch(vec![int("id", &[Some(2)])]))
        .await
        .unwrap();
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
    let report = writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(report.books, written(1));
    assert_eq!(
        warehouse.rows("select count(*) from shop.orders").await,
        ["2"]
    );
    assert_eq!(warehouse.mark().await, ["1|2|1|p2|orders|5|ready"]);
}

#[tokio::test]
async fn an_interrupted_replacement_that_was_a_first_load_starts_over() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Replace);
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    let batch = warehouse.batch(vec![int("id", &[Some(1)]), text("old", &[Some("x")])]);
    writer.write(batch).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    let report = warehouse
        .run(
            target,
            vec![warehouse.batch(vec![int("id", &[Some(1), Some(2)])])],
        )
        .await;
    assert_eq!(report.books, written(2));
    assert_eq!(
        warehouse
            .rows("select id from shop.orders order by id")
            .await,
        ["1", "2"]
    );
    assert_eq!(warehouse.data_columns().await, ["id"]);
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|ready"]);
}

#[tokio::test]
async fn an_interrupted_first_load_goes_on_and_keeps_the_greatest_sequence() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    let batch = warehouse.batch(vec![
        int("id", &[Some(1), Some(1), Some(2)]),
        text("v", &[Some("first"), Some("second"), Some("only")]),
    ]);
    writer.write(batch).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    let lost = warehouse.batch(vec![int("id", &[Some(9)]), text("v", &[Some("lost")])]);
    writer.write(lost).await.unwrap();
    drop(writer);

    let batch = warehouse.batch(vec![
        int("id", &[Some(2), Some(3)]),
        text("v", &[Some("again"), Some("new")]),
    ]);
    let report = warehouse.run(target, vec![batch]).await;
    assert_eq!(report.books, written(2));
    assert_eq!(
        warehouse
            .rows("select id, v from shop.orders order by id")
            .await,
        ["1|second", "2|again", "3|new"]
    );
    assert_eq!(warehouse.primary_key().await, ["id"]);
    assert_eq!(warehouse.mark().await, ["1|1|1|p1|orders|5|ready"]);
}

#[tokio::test]
async fn a_declared_key_that_is_not_unique_is_made_so() {
    let warehouse = Warehouse::create().await;
    let mut writer = warehouse
        .open(warehouse.target(&["id"], LoadMode::Replace), 1)
        .await
        .unwrap();
    let mut books = selvedge_connector::Books::default();
    for round in 1..=3 {
        let batch = warehouse.batch(vec![int("id", &[Some(1), Some(round)])]);
        writer.write(batch).await.unwrap();
        books += writer
            .commit(checkpoint(i64::from(round)))
            .await
            .unwrap()
            .books;
    }
    books += writer.finish(checkpoint(4)).await.unwrap().books;
    assert_eq!((books.written, books.superseded), (3, 3));
    assert_eq!(
        warehouse
            .rows("select id, _sdc_sequence from shop.orders order by id")
            .await,
        ["1|1004", "2|1003", "3|1005"]
    );
}

#[tokio::test]
async fn rows_without_a_complete_key_never_get_in() {
    let warehouse = Warehouse::create().await;
    let batch = warehouse.batch(vec![
        int("a", &[Some(1), None, Some(3), None]),
        text("b", &[Some(""), Some("x"), None, None]),
    ]);
    let report = warehouse
        .run(warehouse.target(&["a", "b"], LoadMode::Merge), vec![batch])
        .await;
    assert_eq!((report.books.written, report.books.null_key), (1, 3));
    assert_eq!(warehouse.rows("select a, b from shop.orders").await, ["1|"]);
    assert!(!warehouse.exists("_sdc_rejected").await);
}

#[tokio::test]
async fn a_stop_ends_the_load_and_rolls_back() {
    let warehouse = Warehouse::create().await;
    let stop = CancellationToken::new();
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut writer = selvedge_connector::Destination::open(
        &warehouse.destination,
        context(1, stop.clone()),
        target,
    )
    .await
    .unwrap();
    writer
        .write(warehouse.batch(vec![int("id", &[Some(1)])]))
        .await
        .unwrap();
    stop.cancel();
    let error = writer.commit(checkpoint(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    drop(writer);
    let rows = "select count(*) from shop.orders";
    assert_eq!(warehouse.rows(rows).await, ["0"]);
}

#[tokio::test]
async fn a_run_with_a_smaller_fence_is_refused() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut late = warehouse.open(target.clone(), 1).await.unwrap();
    let mut newer = warehouse.open(target.clone(), 2).await.unwrap();
    newer
        .write(warehouse.batch(vec![int("id", &[Some(1)])]))
        .await
        .unwrap();
    newer.finish(checkpoint(1)).await.unwrap();
    // It had opened before there was a table, and cannot even create one now.
    let write = late
        .write(warehouse.batch(vec![int("id", &[Some(9)])]))
        .await;
    assert!(write.is_err());
    let Err(error) = warehouse.open(target.clone(), 1).await else {
        panic!("a smaller fence was let in");
    };
    assert_eq!(error.kind, ErrorKind::Stopped);

    let mut late = warehouse.open(target.clone(), 2).await.unwrap();
    late.write(warehouse.batch(vec![int("id", &[Some(9)])]))
        .await
        .unwrap();
    let newer = warehouse.open(target, 3).await.unwrap();
    newer.finish(checkpoint(1)).await.unwrap();
    let error = late.commit(checkpoint(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    drop(late);
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
}

#[tokio::test]
async fn tables_of_one_schema_can_start_at_the_same_time() {
    let warehouse = Warehouse::create().await;
    let run = async |name: &str| {
        let mut target = warehouse.target(&["id"], LoadMode::Merge);
        target.table_name = name.to_owned();
        target.identity.tap_stream_id = name.to_owned();
        let batch = warehouse.batch(vec![int("id", &[Some(1)]), text("v__st", &[Some("x")])]);
        let accepted = warehouse.batch(vec![int("id", &[Some(2)])]);
        warehouse.run(target, vec![batch, accepted]).await.books
    };
    let (a, b, c) = tokio::join!(run("a"), run("b"), run("c"));
    for books in [a, b, c] {
        assert_eq!((books.written, books.rejected), (1, 1));
    }
    assert_eq!(
        warehouse
            .rows("select table_name, state from shop._sdc_selvedge_commits order by 1")
            .await,
        ["a|ready", "b|ready", "c|ready"]
    );
    assert_eq!(
        warehouse
            .rows("select count(*) from shop._sdc_rejected")
            .await,
        ["3"]
    );
}
