//! Sources whose structure changes between jobs.

use serde_json::{Value, json};

use crate::pipeline::Pipeline;
use crate::platform::settings;

#[tokio::test]
async fn a_new_column_arrives_by_itself_and_a_deselected_one_stays_away() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, note text, secret text);
         insert into orders values (1, 'one', 's1'), (2, 'two', 's2');",
    )
    .await;
    let entries = json!([
        { "breadcrumb": [], "metadata": {
            "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id",
        } },
        { "breadcrumb": ["properties", "secret"], "metadata": { "selected": false } },
    ]);
    pipeline
        .platform
        .set_metadata(pipeline.source, "orders", entries)
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "note text"]
    );

    pipeline
        .change(
            "alter table orders add column amount numeric(10,2);
             insert into orders values (3, 'three', 's3', 3.50);",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "note text", "amount numeric"]
    );
    assert_eq!(
        pipeline
            .arrived("select id, note, amount from shop.orders order by id")
            .await,
        ["1|one|∅", "2|two|∅", "3|three|3.50"]
    );
    assert_eq!(
        field(&pipeline, "orders", "secret").await["selected"],
        false
    );
    assert_eq!(
        field(&pipeline, "orders", "amount").await["selected-by-default"],
        true
    );
}

#[tokio::test]
async fn a_dropped_column_stays_in_the_destination_and_is_null_from_then_on() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, rev integer, note text);
         insert into orders values (1, 1, 'one'), (2, 2, 'two');
         create table items (id integer primary key, label text, colour text);
         insert into items values (1, 'a', 'red');",
    )
    .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    pipeline
        .change(
            "alter table orders drop column note; insert into orders values (3, 3);
             alter table items drop column colour; insert into items values (2, 'b');",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, note from shop.orders order by id")
            .await,
        ["1|one", "2|∅", "3|∅"],
        "row 2 is the boundary row"
    );
    assert_eq!(
        pipeline
            .arrived("select id, label from shop.items order by id")
            .await,
        ["1|a", "2|b"]
    );
}

#[tokio::test]
async fn integers_widen_in_place() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, rev integer, amount integer);
         insert into orders values (1, 1, 10), (2, 2, 20);",
    )
    .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "rev integer", "amount integer"]
    );
    pipeline
        .change(
            "alter table orders alter column amount type bigint, alter column id type bigint;
             insert into orders values (5000000000, 3, 1099511627776);",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id bigint", "rev integer", "amount bigint"]
    );
    assert_eq!(
        pipeline
            .arrived("select id, amount from shop.orders order by id")
            .await,
        ["1|10", "2|20", "5000000000|1099511627776"]
    );
}

#[tokio::test]
async fn a_column_of_another_type_is_split() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, rev integer, c integer);
         insert into orders values (1, 1, 10), (2, 2, 20), (3, 3, null);",
    )
    .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    pipeline
        .change(
            "alter table orders alter column c type text;
             update orders set c = 'twenty', rev = 4 where id = 2;
             insert into orders values (4, 5, '40');",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "rev integer", "c__it integer", "c__st text"]
    );
    let all = "select id, c__it, c__st from shop.orders order by id";
    assert_eq!(
        pipeline.arrived(all).await,
        ["1|10|∅", "2|∅|twenty", "3|∅|∅", "4|∅|40"]
    );

    // Back to the first type: the same column as before.
    pipeline
        .change(
            "alter table orders alter column c type integer using nullif(c, 'twenty')::integer;
             insert into orders values (5, 6, 50);",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("orders").await,
        ["id integer", "rev integer", "c__it integer", "c__st text"]
    );
    assert_eq!(
        pipeline.arrived(all).await,
        ["1|10|∅", "2|∅|twenty", "3|∅|∅", "4|40|∅", "5|50|∅"],
        "row 4 is the boundary row"
    );
}

#[tokio::test]
async fn a_dropped_table_is_no_longer_listed_and_the_others_go_on() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key); insert into orders values (1);
         create table items (id integer primary key); insert into items values (1);",
    )
    .await;
    pipeline.select_full("orders").await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    let known = pipeline.platform.stream(pipeline.source, "orders").await;

    pipeline
        .change("drop table orders; insert into items values (2)")
        .await;
    pipeline.sync().await;
    let listed = pipeline.platform.streams(pipeline.source).await;
    assert!(
        listed
            .iter()
            .all(|stream| stream["stream_name"] != "orders"),
        "{listed:?}"
    );
    assert_eq!(pipeline.count("select count(*) from shop.orders").await, 1);
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 2);

    // It comes back as the stream it was, selection included.
    pipeline
        .change("create table orders (id integer primary key); insert into orders values (7), (8)")
        .await;
    pipeline.sync().await;
    let again = pipeline.platform.stream(pipeline.source, "orders").await;
    assert_eq!(again["stream_id"], known["stream_id"]);
    assert_eq!(again["selected"], true);
    assert_eq!(
        pipeline
            .arrived("select id from shop.orders order by id")
            .await,
        ["7", "8"]
    );
}

const TWO_SCHEMAS: &str = "
    create table orders (id integer primary key, note text); insert into orders values (1, 'public');
    create schema archive;
    create table archive.orders (id integer primary key, note text); insert into archive.orders values (2, 'archive');";

async fn select_both(pipeline: &Pipeline) {
    let listed = pipeline.platform.streams(pipeline.source).await;
    let streams: Vec<Value> = listed
        .iter()
        .filter(|stream| stream["stream_name"] == "orders")
        .map(|stream| {
            let metadata = json!({ "selected": true, "replication-method": "FULL_TABLE" });
            let entries = json!([{ "breadcrumb": [], "metadata": metadata }]);
            json!({ "tap_stream_id": stream["tap_stream_id"], "metadata": entries })
        })
        .collect();
    assert_eq!(streams.len(), 2, "{listed:?}");
    let path = format!("/v4/sources/{}/streams/metadata", pipeline.source);
    let body = json!({ "streams": streams });
    pipeline.platform.api.put(&path, &body).await.status(200);
}

#[tokio::test]
async fn of_two_tables_with_one_name_the_second_fails_naming_the_setting() {
    let pipeline = Pipeline::start(TWO_SCHEMAS).await;
    select_both(&pipeline).await;
    let failed = pipeline.try_sync().await;
    assert_eq!(failed.statuses(), [Some(0), Some(1), Some(0)], "{failed:?}");
    let description = failed.description("tap");
    for part in [
        "include_schemas_in_destination_stream_name",
        "public-orders",
        "archive-orders",
    ] {
        assert!(description.contains(part), "{description:?} lacks {part:?}");
    }
    assert_eq!(
        pipeline
            .count("select count(distinct note) from shop.orders")
            .await,
        1
    );
}

#[tokio::test]
async fn with_the_setting_tables_of_one_name_are_kept_apart() {
    let properties = json!({ "include_schemas_in_destination_stream_name": "true" });
    let pipeline = Pipeline::start_with(settings(), TWO_SCHEMAS, properties).await;
    select_both(&pipeline).await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, note from shop.public__orders")
            .await,
        ["1|public"]
    );
    assert_eq!(
        pipeline
            .arrived("select id, note from shop.archive__orders")
            .await,
        ["2|archive"]
    );
}

/// Metadata of a field as the API shows it.
async fn field(pipeline: &Pipeline, table: &str, name: &str) -> Value {
    let stream = pipeline.platform.stream(pipeline.source, table).await;
    let path = format!(
        "/v4/sources/{}/streams/{}",
        pipeline.source, stream["stream_id"]
    );
    let schema = pipeline.platform.api.get(&path).await.status(200);
    let breadcrumb = json!(["properties", name]);
    let entries = schema["metadata"].as_array().expect("an array");
    let found = entries
        .iter()
        .find(|entry| entry["breadcrumb"] == breadcrumb);
    found.unwrap_or_else(|| panic!("{name} is not listed: {schema}"))["metadata"].clone()
}
