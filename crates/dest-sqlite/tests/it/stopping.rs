//! A stopped run ends soon, and the next one finds its way.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use selvedge_connector::{ErrorKind, LogicalType};

use crate::support::{Warehouse, checkpoint, context, merge, people, replace, shaped};

#[tokio::test]
async fn building_a_key_is_interrupted_and_made_up_for_by_the_next_run() {
    let warehouse = Warehouse::new();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..50_000));
    let fields = [("id", LogicalType::Int64)];
    let ctx = context(1);
    let stop = ctx.stop.clone();
    let mut writer = warehouse
        .open(ctx, merge("numbers", &["id"]))
        .await
        .unwrap();
    writer.write(shaped(1, &fields, vec![ids])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    stop.cancel();
    let error = writer.finish(checkpoint(2)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    let again: ArrayRef = Arc::new(Int64Array::from(vec![7, 50_000]));
    warehouse
        .load(
            merge("numbers", &["id"]),
            vec![shaped(100_000, &fields, vec![again])],
        )
        .await;
    assert_eq!(
        warehouse.rows("select count(*), count(distinct id) from shop__numbers"),
        ["50001|50001"]
    );
}

#[tokio::test]
async fn a_stopped_run_still_commits_what_it_has() {
    let warehouse = Warehouse::new();
    let ctx = context(1);
    let stop = ctx.stop.clone();
    let mut writer = warehouse.open(ctx, merge("people", &["id"])).await.unwrap();
    writer.write(people(1, &[(1, "a")])).await.unwrap();
    stop.cancel();
    assert_eq!(writer.commit(checkpoint(1)).await.unwrap().books.written, 1);
    drop(writer);
    assert_eq!(warehouse.rows("select id from shop__people"), ["1"]);
}

#[tokio::test]
async fn a_stopped_run_does_not_wait_for_its_turn() {
    let warehouse = Warehouse::new();
    let mut busy = warehouse
        .open(context(1), replace("people", &["id"], 1))
        .await
        .unwrap();
    busy.write(people(1, &[(1, "a")])).await.unwrap();
    let ctx = context(1);
    let stop = ctx.stop.clone();
    let mut waiting = warehouse.open(ctx, merge("places", &["id"])).await.unwrap();
    stop.cancel();
    let error = waiting.write(people(1, &[(1, "x")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    busy.finish(checkpoint(1)).await.unwrap();
    assert_eq!(warehouse.rows("select id from shop__people"), ["1"]);
}
