//! A stopped read ends at once, wherever it is.

use selvedge_connector::{ErrorKind, Field, LogicalType, ReadMethod, Source, event_channel};

use crate::support::{SourceFile, context, stream};

fn number() -> Vec<Field> {
    vec![Field::new("n", LogicalType::Int64)]
}

/// A view whose first row takes forever.
const ENDLESS: &str = "create view endless as
    with recursive n(i) as (select 1 union all select i + 1 from n)
    select count(*) as n from n;";

#[tokio::test]
async fn a_statement_at_work_is_interrupted() {
    let file = SourceFile::with(ENDLESS);
    let ctx = context();
    let stop = ctx.stop.clone();
    let (sender, _receiver) = event_channel(1);
    let source = file.source();
    let read = stream("endless", number(), ReadMethod::FullTable);
    let reading = tokio::spawn(async move { source.read(ctx, read, sender).await });
    // However far the read has come: not begun, opening, or counting.
    tokio::task::yield_now().await;
    stop.cancel();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
}

#[tokio::test]
async fn a_full_channel_does_not_hold_a_stopped_read() {
    let file = SourceFile::with(
        "create table t (n integer); insert into t values (1), (2), (3), (4), (5), (6)",
    );
    let mut ctx = context();
    ctx.batch_rows = 1;
    let stop = ctx.stop.clone();
    let (sender, mut receiver) = event_channel(1);
    let source = file.source();
    let read = stream("t", number(), ReadMethod::FullTable);
    let reading = tokio::spawn(async move { source.read(ctx, read, sender).await });
    receiver.recv().await.expect("the read has begun");
    stop.cancel();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
}

#[tokio::test]
async fn a_read_that_nobody_listens_to_ends() {
    let file = SourceFile::with("create table t (n integer); insert into t values (1), (2)");
    let (sender, receiver) = event_channel(1);
    drop(receiver);
    let error = file
        .source()
        .read(
            context(),
            stream("t", number(), ReadMethod::FullTable),
            sender,
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
}
