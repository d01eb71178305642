//! Key-based incremental replication: what is read again, what is never read, and what starts over.

use serde_json::json;

use crate::pipeline::Pipeline;

const ORDERS: &str = "
    create table orders (id integer primary key, rev integer, note text);
    insert into orders values (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three'), (4, null, 'no rev');";
const ALL: &str = "select id, rev, note from shop.orders order by id";

#[tokio::test]
async fn later_jobs_read_from_the_bookmark_on_and_the_boundary_row_again() {
    let pipeline = Pipeline::start(ORDERS).await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    let first = ["1|1|one", "2|2|two", "3|3|three", "4|∅|no rev"];
    assert_eq!(pipeline.arrived(ALL).await, first);

    pipeline
        .change(
            "update orders set note = 'unseen' where id = 1;
             update orders set note = 'boundary' where id = 3;
             update orders set note = 'moved', rev = 5 where id = 2;
             insert into orders values (5, 4, 'new'), (6, null, 'never read'), (7, 0, 'below the bookmark');
             delete from orders where id = 4;",
        )
        .await;
    let second = pipeline.sync().await;
    assert_eq!(
        pipeline.arrived(ALL).await,
        [
            "1|1|one",
            "2|5|moved",
            "3|3|boundary",
            "4|∅|no rev",
            "5|4|new"
        ]
    );
    let log = pipeline.platform.log(second.job_name()).await;
    let stream = format!("{}-public-orders", pipeline.from.name);
    assert!(
        log.contains(&format!("found current bookmark for {stream}:  3\n")),
        "{log}"
    );
    assert!(
        log.contains(&format!("bookmarks.{stream}.rev = \"5\"")),
        "{log}"
    );

    // Nothing new: the boundary row alone is read, and the bookmark stays.
    let third = pipeline.sync().await;
    let log = pipeline.platform.log(third.job_name()).await;
    assert!(
        log.contains(r#""metric":"record_count","value":1"#),
        "{log}"
    );
    let fourth = pipeline.sync().await;
    let log = pipeline.platform.log(fourth.job_name()).await;
    assert!(
        log.contains(&format!("found current bookmark for {stream}:  5\n")),
        "{log}"
    );
}

#[tokio::test]
async fn a_key_that_is_null_everywhere_leaves_no_bookmark() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, rev integer, note text);
         insert into orders values (1, null, 'one'), (2, null, 'two');",
    )
    .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    // A column comes with its first value.
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "note text"]
    );
    pipeline
        .change("update orders set note = 'again' where id = 1")
        .await;
    pipeline.sync().await;
    let notes = "select id, note from shop.orders order by id";
    assert_eq!(pipeline.arrived(notes).await, ["1|again", "2|two"]);
    pipeline
        .change("update orders set rev = 1 where id = 2")
        .await;
    pipeline.sync().await;
    pipeline
        .change("update orders set note = 'too late' where id = 1")
        .await;
    pipeline.sync().await;
    assert_eq!(pipeline.arrived(ALL).await, ["1|∅|again", "2|1|two"]);
}

#[tokio::test]
async fn bookmarks_survive_a_killed_server() {
    let mut pipeline = Pipeline::start(ORDERS).await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    pipeline.platform.kill_and_restart().await;
    pipeline
        .change(
            "update orders set note = 'unseen' where id = 1;
             insert into orders values (5, 4, 'new')",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.arrived(ALL).await,
        ["1|1|one", "2|2|two", "3|3|three", "4|∅|no rev", "5|4|new"]
    );
}

#[tokio::test]
async fn timestamps_keep_their_microseconds_as_bookmarks() {
    let pipeline = Pipeline::start(
        "create table events (id integer primary key, at timestamptz, note text);
         insert into events values (1, '2031-02-03 04:05:06.789012+02', 'one'), (2, '2031-02-03 04:05:06.789013+02', 'two');",
    )
    .await;
    pipeline.select_incremental("events", "at").await;
    pipeline.sync().await;
    pipeline
        .change(
            "update events set note = 'a microsecond too early' where id = 1;
             update events set note = 'boundary' where id = 2",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, at, note from shop.events order by id")
            .await,
        [
            "1|2031-02-03 02:05:06.789012|one",
            "2|2031-02-03 02:05:06.789013|boundary"
        ]
    );
}

#[tokio::test]
async fn another_replication_key_reads_everything_again() {
    let pipeline = Pipeline::start(ORDERS).await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    pipeline
        .change(
            "update orders set note = 'seen after all' where id = 1;
             delete from orders where id = 2",
        )
        .await;
    pipeline.select_incremental("orders", "id").await;
    pipeline.sync().await;
    // A table that starts over holds what the source holds.
    assert_eq!(
        pipeline.arrived(ALL).await,
        ["1|1|seen after all", "3|3|three", "4|∅|no rev"]
    );
    pipeline
        .change("insert into orders values (5, 1, 'new')")
        .await;
    pipeline.sync().await;
    assert_eq!(pipeline.count("select count(*) from shop.orders").await, 4);
}

#[tokio::test]
async fn another_method_starts_over_and_back() {
    let pipeline = Pipeline::start(ORDERS).await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    pipeline
        .change("update orders set note = 'full' where id = 1")
        .await;
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    let full = ["1|1|full", "2|2|two", "3|3|three", "4|∅|no rev"];
    assert_eq!(pipeline.arrived(ALL).await, full);
    pipeline
        .change("update orders set note = 'back' where id = 1")
        .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    let back = ["1|1|back", "2|2|two", "3|3|three", "4|∅|no rev"];
    assert_eq!(pipeline.arrived(ALL).await, back);
}

#[tokio::test]
async fn an_unsuitable_key_fails_the_extraction_and_other_tables_go_on() {
    let pipeline = Pipeline::start(&format!(
        "{ORDERS} create table items (id integer primary key); insert into items values (1), (2);"
    ))
    .await;
    pipeline.select_full("items").await;
    for (key, reason) in [
        ("note", "[text] is not a supported replication key type"),
        ("nope", "does not exist"),
    ] {
        pipeline.select_incremental("orders", key).await;
        let failed = pipeline.try_sync().await;
        assert_eq!(failed.statuses(), [Some(0), Some(1), Some(0)], "{failed:?}");
        let description = failed.description("tap");
        for part in ["orders", key, reason] {
            assert!(description.contains(part), "{description:?} lacks {part:?}");
        }
        assert_eq!(pipeline.count("select count(*) from shop.items").await, 2);
    }
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    assert_eq!(pipeline.count("select count(*) from shop.orders").await, 4);
}

#[tokio::test]
async fn a_stream_without_a_method_is_skipped() {
    let pipeline = Pipeline::start(&format!(
        "{ORDERS} create table items (id integer primary key); insert into items values (1), (2);"
    ))
    .await;
    pipeline.set("orders", json!({ "selected": true })).await;
    pipeline.select_full("items").await;
    let ended = pipeline.sync().await;
    let log = pipeline.platform.log(ended.job_name()).await;
    assert!(log.contains("Not Configured"), "{log}");
    assert_eq!(
        pipeline.arrived("select to_regclass('shop.orders')").await,
        ["∅"]
    );
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 2);
}

#[tokio::test]
async fn a_view_is_appended_until_its_keys_are_declared() {
    let pipeline = Pipeline::start(&format!(
        "{ORDERS} create view latest as select * from orders"
    ))
    .await;
    pipeline.select_incremental("latest", "rev").await;
    pipeline.sync().await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.arrived("select id, count(*), count(distinct __sdc_primary_key) from shop.latest group by id order by id").await,
        ["1|1|1", "2|1|1", "3|2|2", "4|1|1"],
        "the boundary row is there once per job"
    );

    pipeline
        .set("latest", json!({ "view-key-properties": ["id"] }))
        .await;
    pipeline.sync().await;
    pipeline
        .change("update orders set note = 'boundary' where id = 3")
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, note from shop.latest order by id")
            .await,
        ["1|one", "2|two", "3|boundary", "4|no rev"]
    );
}

#[tokio::test]
async fn a_table_without_a_key_is_appended() {
    let pipeline = Pipeline::start(
        "create table visits (rev integer, page text);
         insert into visits values (1, '/a'), (1, '/a'), (2, '/b');",
    )
    .await;
    pipeline.select_incremental("visits", "rev").await;
    pipeline.sync().await;
    pipeline.change("insert into visits values (3, '/c')").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select rev, page, count(*) from shop.visits group by 1, 2 order by 1")
            .await,
        ["1|/a|2", "2|/b|2", "3|/c|1"]
    );
    let identities = "select count(*) - count(distinct __sdc_primary_key) from shop.visits";
    assert_eq!(pipeline.count(identities).await, 0);
}
