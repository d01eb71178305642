//! A late loser is harmless.

use selvedge_connector::ErrorKind;

use crate::support::{Warehouse, checkpoint, context, merge, people};

#[tokio::test]
async fn a_run_that_lost_its_lease_cannot_commit() {
    let warehouse = Warehouse::new();
    let mut old = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    let mut new = warehouse
        .open(context(2), merge("people", &["id"]))
        .await
        .unwrap();
    new.write(people(100, &[(1, "new")])).await.unwrap();
    new.finish(checkpoint(1)).await.unwrap();
    let error = old.write(people(500, &[(1, "old")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    assert!(old.commit(checkpoint(1)).await.is_err());
    assert_eq!(warehouse.rows("select name from shop__people"), ["new"]);
    let reopened = warehouse.open(context(1), merge("people", &["id"])).await;
    assert_eq!(reopened.err().unwrap().kind, ErrorKind::Stopped);
}

#[tokio::test]
async fn a_commit_without_rows_is_refused_as_well() {
    let warehouse = Warehouse::new();
    warehouse
        .load(merge("people", &["id"]), vec![people(1, &[(1, "a")])])
        .await;
    let mut old = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    let mut new = warehouse
        .open(context(2), merge("people", &["id"]))
        .await
        .unwrap();
    new.commit(checkpoint(1)).await.unwrap();
    assert_eq!(
        old.commit(checkpoint(1)).await.unwrap_err().kind,
        ErrorKind::Stopped
    );
}

#[tokio::test]
async fn the_same_fence_may_go_on_and_other_streams_are_not_concerned() {
    let warehouse = Warehouse::new();
    warehouse
        .load(merge("people", &["id"]), vec![people(1, &[(1, "a")])])
        .await;
    assert!(
        warehouse
            .open(context(1), merge("people", &["id"]))
            .await
            .is_ok()
    );
    assert!(
        warehouse
            .open(context(0), merge("places", &["id"]))
            .await
            .is_ok()
    );
}
