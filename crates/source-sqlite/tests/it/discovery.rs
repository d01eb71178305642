//! What is found in a file.

use selvedge_connector::{DiscoveredStream, LogicalType, TypeFidelity};
use selvedge_types::stream::Inclusion;

use crate::support::SourceFile;

async fn streams(sql: &str) -> Vec<DiscoveredStream> {
    SourceFile::with(sql)
        .discover(TypeFidelity::Stitch)
        .await
        .streams
}

#[tokio::test]
async fn tables_and_views_are_listed_with_their_keys() {
    let streams = streams(
        "create table orders (id integer primary key, changed datetime, note text, photo blob);
         create table places (shelf text, house int, primary key (house, shelf)) without rowid;
         create table keyless (x int);
         create view recent as select id, changed, count(*) as n from orders;
         create view broken as select x from nowhere;
         create virtual table words using fts5(word);
         create table counted (id integer primary key autoincrement);",
    )
    .await;
    let names: Vec<&str> = streams
        .iter()
        .map(|stream| stream.tap_stream_id.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "shop-main-counted",
            "shop-main-keyless",
            "shop-main-orders",
            "shop-main-places",
            "shop-main-recent"
        ]
    );
    let find = |name: &str| {
        streams
            .iter()
            .find(|stream| stream.stream_name == name)
            .unwrap()
    };
    assert_eq!(find("orders").key_properties, ["id"]);
    assert_eq!(find("orders").replication_keys, ["id", "changed"]);
    assert_eq!(find("places").key_properties, ["house", "shelf"]);
    assert!(find("keyless").key_properties.is_empty());
    assert!(find("recent").is_view && find("recent").key_properties.is_empty());
    assert_eq!(find("recent").replication_keys, ["id", "changed"]);
    let photo = &find("orders").fields[3];
    assert_eq!(photo.inclusion, Inclusion::Unsupported);
    assert_eq!(photo.logical_type, None);
    assert_eq!(find("orders").fields[0].inclusion, Inclusion::Automatic);
    assert_eq!(find("orders").fields[0].sql_datatype, "INTEGER");
}

#[tokio::test]
async fn keys_that_identify_nothing_elsewhere_are_no_keys() {
    let streams = streams(
        "create table untyped (k primary key, v text);
         create table binary_key (k blob primary key, v text);",
    )
    .await;
    for stream in streams {
        assert!(stream.key_properties.is_empty(), "{}", stream.stream_name);
    }
}

#[tokio::test]
async fn generated_columns_are_read_and_hidden_ones_are_not() {
    let streams = streams(
        "create table t (a int, b int generated always as (a * 2) virtual, c text generated always as ('x') stored);",
    )
    .await;
    let names: Vec<&str> = streams[0]
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn row_counts_come_from_analyze_only() {
    let streams = streams(
        "create table counted (id integer primary key, x int);
         create index counted_x on counted (x);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
         insert into counted select i, i from n;
         analyze;
         create table later (id integer primary key);
         insert into later values (1);",
    )
    .await;
    assert_eq!(streams[0].row_count, Some(500));
    assert_eq!(streams[1].row_count, None);
}

#[tokio::test]
async fn native_fidelity_offers_binary_columns() {
    let catalog = SourceFile::with("create table t (id integer primary key, photo blob, day date)")
        .discover(TypeFidelity::Native)
        .await;
    let types: Vec<_> = catalog.streams[0]
        .fields
        .iter()
        .map(|field| field.logical_type.clone().unwrap())
        .collect();
    assert_eq!(
        types,
        [LogicalType::Int64, LogicalType::Bytes, LogicalType::Date]
    );
}
