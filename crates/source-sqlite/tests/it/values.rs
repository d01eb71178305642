//! Values arrive as they are stored.

use std::sync::Arc;

use selvedge_connector::{ReadMethod, TypeFidelity};

use crate::support::{SourceFile, context};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let file = SourceFile::with(
        "create table t (i bigint, b boolean, r double, d decimal(12,2), n numeric, ts timestamp, day date, s varchar(9));
         insert into t values
           (9223372036854775807, 1, 0.1, 19.9, 12345678901234567, '2031-02-03 04:05:06.789012', '2031-02-03', 'é'),
           (-9223372036854775808, 0, -2.5e-300, '1.005', 0.1, '2031-02-03T04:05:06+02:00', '0001-01-01', ''),
           (null, null, null, null, null, null, null, null);",
    );
    let heard = file
        .read("t", ReadMethod::FullTable, context())
        .await
        .unwrap();
    for (name, expected) in [
        (
            "i",
            [
                "integer:9223372036854775807",
                "integer:-9223372036854775808",
                "null",
            ],
        ),
        ("b", ["boolean:true", "boolean:false", "null"]),
        (
            "r",
            ["double:0.1", &format!("double:{}", -2.5e-300), "null"],
        ),
        ("d", ["decimal:19.90", "decimal:1.005", "null"]),
        ("n", ["decimal:12345678901234567", "decimal:0.1", "null"]),
        (
            "ts",
            [
                "time:2031-02-03T04:05:06.789012Z",
                "time:2031-02-03T02:05:06.000000Z",
                "null",
            ],
        ),
        (
            "day",
            [
                "time:2031-02-03T00:00:00.000000Z",
                "time:0001-01-01T00:00:00.000000Z",
                "null",
            ],
        ),
        ("s", ["text:é", "text:", "null"]),
    ] {
        assert_eq!(heard.column(name), expected, "{name}");
    }
    assert!(heard.logs.is_empty(), "{}", heard.log_text());
}

#[tokio::test]
async fn off_type_cells_travel_in_additional_fields_of_the_same_name() {
    let file = SourceFile::with(
        "create table t (id integer primary key, v int, at datetime);
         insert into t values
           (1, 1, '2031-01-01'), (2, 'two', 1700000000), (3, 3.5, 'soon'), (4, 4, null), (5, 'five', '2031-01-02');",
    );
    let mut ctx = context();
    ctx.batch_rows = 2;
    let heard = file.read("t", ReadMethod::FullTable, ctx).await.unwrap();
    assert_eq!(
        heard.column("v"),
        [
            "integer:1",
            "text:two",
            "double:3.5",
            "integer:4",
            "text:five"
        ]
    );
    assert_eq!(
        heard.column("at"),
        [
            "time:2031-01-01T00:00:00.000000Z",
            "integer:1700000000",
            "text:soon",
            "null",
            "time:2031-01-02T00:00:00.000000Z"
        ]
    );
    let widths: Vec<usize> = heard
        .batches
        .iter()
        .map(|batch| batch.schema.fields.len())
        .collect();
    assert_eq!(
        widths,
        [5, 7, 7],
        "fields are added when they are needed and stay"
    );
    assert!(
        heard.log_text().contains("INFO column v: 2 value(s)"),
        "{}",
        heard.log_text()
    );
}

#[tokio::test]
async fn a_table_without_surprises_keeps_the_schema_it_was_asked_for() {
    let file = SourceFile::with(
        "create table t (id integer primary key); insert into t values (1), (2), (3)",
    );
    let mut ctx = context();
    ctx.batch_rows = 1;
    let heard = file.read("t", ReadMethod::FullTable, ctx).await.unwrap();
    assert_eq!(heard.batches.len(), 3);
    assert!(Arc::ptr_eq(
        &heard.batches[0].schema,
        &heard.batches[2].schema
    ));
}

#[tokio::test]
async fn columns_without_type_split_by_what_they_hold() {
    let file = SourceFile::with(
        "create table t (x);
         insert into t values (1), (2.5), ('three'), (null);
         create view v as select count(*) as n from t;",
    );
    let heard = file
        .read("t", ReadMethod::FullTable, context())
        .await
        .unwrap();
    assert_eq!(
        heard.column("x"),
        ["integer:1", "double:2.5", "text:three", "null"]
    );
    let heard = file
        .read("v", ReadMethod::FullTable, context())
        .await
        .unwrap();
    assert_eq!(heard.column("n"), ["integer:4"]);
}

#[tokio::test]
async fn what_cannot_travel_is_null_and_one_warning_per_column() {
    let file = SourceFile::with(
        "create table t (r real, at datetime, s text);
         insert into t values (9e999, '0000-01-01', x'00ff'), (-9e999, '2031-01-01', 'fine'), (1, null, cast(x'ff' as text));",
    );
    let heard = file
        .read("t", ReadMethod::FullTable, context())
        .await
        .unwrap();
    assert_eq!(heard.column("r"), ["null", "null", "double:1"]);
    assert_eq!(heard.column("s"), ["null", "text:fine", "null"]);
    let log = heard.log_text();
    for line in [
        "WARNING column r: 2 value(s) loaded as NULL because they are infinite",
        "WARNING column at: 1 value(s) loaded as NULL because they are outside the years 0001 to 9999",
        "WARNING column s: 2 value(s) loaded as NULL because they are binary data",
    ] {
        assert!(log.contains(line), "{log}");
    }
    assert_eq!(heard.logs.len(), 3);
}

#[tokio::test]
async fn native_fidelity_keeps_bytes_dates_and_json() {
    let file = SourceFile::with(
        "create table t (photo blob, day date, doc json, s text);
         insert into t values (x'00ff', '1970-01-02', '{\"a\": 1}', x'01'), (x'', '1970-01-02 01:00', 'no json', 'x'), (null, null, 7, null);",
    );
    let mut ctx = context();
    ctx.fidelity = TypeFidelity::Native;
    let heard = file.read("t", ReadMethod::FullTable, ctx).await.unwrap();
    assert_eq!(
        heard.column("photo"),
        ["bytes:[0, 255]", "bytes:[]", "null"]
    );
    assert_eq!(
        heard.column("day"),
        ["date:1", "time:1970-01-02T01:00:00.000000Z", "null"]
    );
    assert_eq!(
        heard.column("doc"),
        ["json:{\"a\": 1}", "text:no json", "json:7"]
    );
    assert_eq!(heard.column("s"), ["bytes:[1]", "text:x", "null"]);
}

#[tokio::test]
async fn batches_close_on_rows_and_on_bytes() {
    let file = SourceFile::with(
        "create table t (id integer primary key, s text);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)
         insert into t select i, printf('%.100c', 'x') from n;",
    );
    let mut ctx = context();
    ctx.batch_rows = 30;
    let heard = file.read("t", ReadMethod::FullTable, ctx).await.unwrap();
    let rows = |heard: &crate::support::Heard| -> Vec<usize> {
        heard
            .batches
            .iter()
            .map(|batch| batch.records.num_rows())
            .collect()
    };
    assert_eq!(rows(&heard), [30, 30, 30, 10]);
    let mut ctx = context();
    ctx.batch_bytes = 3_000;
    let heard = file.read("t", ReadMethod::FullTable, ctx).await.unwrap();
    assert!(rows(&heard)[0] < 30);
    assert_eq!(rows(&heard).iter().sum::<usize>(), 100);
}

#[tokio::test]
async fn a_read_sees_one_state_of_the_file() {
    let file = SourceFile::with(
        "pragma journal_mode = wal;
         create table t (id integer primary key);
         insert into t values (1), (2), (3), (4), (5), (6), (7), (8);",
    );
    let writer = file.connection();
    let mut ctx = context();
    ctx.batch_rows = 1;
    // The channel holds two batches, so the reader is still at work when the first one is here.
    let (sender, mut receiver) = selvedge_connector::event_channel(2);
    let source = file.source();
    let stream = crate::support::stream(
        "t",
        vec![selvedge_connector::Field::new(
            "id",
            selvedge_connector::LogicalType::Int64,
        )],
        ReadMethod::FullTable,
    );
    let reading = tokio::spawn(async move {
        selvedge_connector::Source::read(&source, ctx, stream, sender).await
    });
    let mut rows = 0;
    while let Some(event) = receiver.recv().await {
        if rows == 0 {
            writer
                .execute_batch("delete from t where id > 4; insert into t values (9)")
                .unwrap();
        }
        if let selvedge_connector::SourceEvent::Batch(batch) = event {
            rows += batch.records.num_rows();
        }
    }
    reading.await.unwrap().unwrap();
    assert_eq!(rows, 8);
}
