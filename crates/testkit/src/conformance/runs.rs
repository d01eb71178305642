//! Runs that overtake each other, that are cut short, that have nothing to do.

use selvedge_connector::ErrorKind;

use super::{Subject, TABLE, checkpoint, json, load, merge, open, run, shown};

/// Who holds the older lease gets nothing in any more.
pub async fn a_late_run_is_refused(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let mut late = open(subject, &target, 1).await.unwrap();
    let mut newer = open(subject, &target, 2).await.unwrap();
    newer
        .write(json(subject, &target, &[(1, r#"{"id":1}"#)]))
        .await
        .unwrap();
    newer.finish(checkpoint(1)).await.unwrap();
    let batch = json(subject, &target, &[(2, r#"{"id":2}"#)]);
    let refused = match late.write(batch).await {
        Ok(()) => late.finish(checkpoint(1)).await.map(drop),
        refused => refused,
    };
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Stopped);
    assert_eq!(shown(subject, &["id"]).await, ["1"]);
    let opened = open(subject, &target, 1).await;
    assert_eq!(
        opened.err().map(|error| error.kind),
        Some(ErrorKind::Stopped)
    );
}

/// In the life of the stream that committed it, and in no other.
pub async fn the_position_of_the_last_commit_is_remembered(subject: &impl Subject) {
    let mut target = merge(subject, &["id"]);
    let writer = open(subject, &target, 1).await.unwrap();
    assert_eq!(writer.committed_position(), None);
    drop(writer);
    load(subject, &target, &[(1, r#"{"id":1}"#)]).await;
    let writer = open(subject, &target, 2).await.unwrap();
    assert_eq!(writer.committed_position(), Some("p99"));
    drop(writer);
    target.identity.epoch = 2;
    let writer = open(subject, &target, 3).await.unwrap();
    assert_eq!(writer.committed_position(), None);
}

/// Nor does it fail.
pub async fn a_run_without_records_creates_nothing(subject: &impl Subject) {
    let told = run(subject, &merge(subject, &["id"]), vec![vec![], vec![]]).await;
    assert_eq!(told.books.total(), 0);
    assert!(subject.stored(TABLE).await.is_none());
    assert!(subject.stored("_sdc_rejected").await.is_none());
}
