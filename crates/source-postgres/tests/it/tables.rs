//! Kinds of relations, and what a snapshot is.

use selvedge_connector::{ReadMethod, Source, SourceEvent, event_channel};

use crate::support::{Fixture, Stitch, context, incremental, read, request};

#[tokio::test]
async fn partitioned_tables_views_and_inheritance_read_like_a_select() {
    let fixture = Fixture::new(
        "create table p (id int, k text) partition by list (k);
         create table p_a partition of p for values in ('a');
         create table p_b partition of p for values in ('b');
         insert into p values (1, 'a'), (2, 'b'), (3, 'b');
         create view v as select id * 10 as id from p;
         create materialized view m as select id * 100 as id from p;
         create table parent (id int); create table child (extra int) inherits (parent);
         insert into parent values (1); insert into child values (2, 20)",
    )
    .await;
    for (table, rows) in [
        ("p", vec!["1 a", "2 b", "3 b"]),
        ("v", vec!["10", "20", "30"]),
        ("m", vec!["100", "200", "300"]),
        ("parent", vec!["1", "2"]),
        ("child", vec!["2 20"]),
    ] {
        let mut found: Vec<_> = fixture
            .read(table, Stitch)
            .await
            .rows()
            .into_iter()
            .map(|row| row.join(" "))
            .collect();
        found.sort();
        assert_eq!(found, rows, "{table}");
    }
}

#[tokio::test]
async fn foreign_tables_are_read_through_their_server() {
    let fixture = Fixture::new("create table t (id int, at timestamptz); insert into t values (1, '2031-02-03 04:05:06+02')").await;
    let database = &fixture.database;
    fixture
        .client
        .batch_execute(&format!(
            "create extension postgres_fdw;
             create server other foreign data wrapper postgres_fdw options (host '{}', port '{}', dbname '{}');
             create user mapping for current_user server other options (user '{}', password '{}');
             create foreign table f (id int, at timestamptz) server other options (table_name 't')",
            database.host, database.port, database.name, database.user, database.password
        ))
        .await
        .unwrap();
    assert_eq!(
        fixture.read("f", Stitch).await.rows(),
        [["1", "2031-02-03T02:05:06"]]
    );
}

#[tokio::test]
async fn a_materialised_view_without_data_is_an_error_that_says_so() {
    let fixture = Fixture::new("create materialized view m as select 1 as id with no data").await;
    let stream = fixture.stream("m", Stitch).await;
    let outcome = read(
        &fixture.source(),
        context(Stitch),
        request(&stream, ReadMethod::FullTable),
    )
    .await;
    let error = outcome.err().unwrap();
    assert_eq!(error.kind, selvedge_connector::ErrorKind::Configuration);
    assert!(
        error.to_string().contains("has not been populated"),
        "{error}"
    );
}

#[tokio::test]
async fn odd_names_are_quoted() {
    let fixture = Fixture::new(
        "create schema \"My \"\"Schema\";
         create table \"My \"\"Schema\".\"select * from; --\" (\"User\" int primary key, \"a\"\"b\" text, \" \" int, \"ünï\" text);
         insert into \"My \"\"Schema\".\"select * from; --\" values (1, 'x', 2, 'y')",
    )
    .await;
    let catalog = fixture.discover(Stitch).await;
    let stream = crate::support::find(catalog, "My \"Schema", "select * from; --");
    assert_eq!(
        stream.tap_stream_id,
        format!("{}-My \"Schema-select * from; --", fixture.database.name)
    );
    assert_eq!(stream.key_properties, ["User"]);
    let method = incremental("User", Some("1"));
    let events = read(&fixture.source(), context(Stitch), request(&stream, method))
        .await
        .unwrap();
    assert_eq!(events.rows(), [["1", "x", "2", "y"]]);
}

#[tokio::test]
async fn an_empty_table_gives_no_batches() {
    let fixture = Fixture::new("create table t (id int)").await;
    let events = fixture.read("t", Stitch).await;
    assert_eq!((events.batches.len(), events.positions.len()), (0, 0));
}

#[tokio::test]
async fn rows_written_during_the_read_are_not_seen() {
    let fixture = Fixture::new("create table t as select n as id, repeat('x', 1000) as body from generate_series(1, 50000) n").await;
    let stream = fixture.stream("t", Stitch).await;
    let (sender, mut receiver) = event_channel(1);
    let source = fixture.source();
    let ctx = selvedge_connector::ReadContext {
        batch_bytes: 1 << 16,
        ..context(Stitch)
    };
    let reading = source.read(ctx, request(&stream, ReadMethod::FullTable), sender);
    let counting = async {
        let mut rows = 0;
        while let Some(event) = receiver.recv().await {
            let SourceEvent::Batch(batch) = event else {
                continue;
            };
            if rows == 0 {
                fixture.client.batch_execute("insert into t select n, 'new' from generate_series(1, 1000) n; delete from t where id > 40000").await.unwrap();
            }
            rows += batch.records.num_rows();
        }
        rows
    };
    let (outcome, rows) = tokio::join!(reading, counting);
    outcome.unwrap();
    assert_eq!(rows, 50_000);
}

#[tokio::test]
async fn batches_close_on_rows_and_on_bytes() {
    let fixture =
        Fixture::new("create table t as select n as id from generate_series(1, 2500) n").await;
    let stream = fixture.stream("t", Stitch).await;
    let sizes = async |batch_rows, batch_bytes| {
        let ctx = selvedge_connector::ReadContext {
            batch_rows,
            batch_bytes,
            ..context(Stitch)
        };
        let events = read(
            &fixture.source(),
            ctx,
            request(&stream, ReadMethod::FullTable),
        )
        .await
        .unwrap();
        assert_eq!(events.row_count(), 2500);
        events
            .batches
            .iter()
            .map(|batch| batch.num_rows())
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(1000, 1 << 20).await, [1000, 1000, 500]);
    // A row of one integer takes ten bytes on the wire.
    assert!(sizes(10_000, 10_000).await.len() > 2);
    assert_eq!(sizes(0, 0).await.len(), 2500);
}
