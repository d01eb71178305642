//! Records without a key: each is a row, and none comes twice.

use super::{Subject, checkpoint, json, load, merge, open, shown};

/// Records that are alike are rows each, told apart by the key that the engine gives them.
pub async fn records_that_are_alike_are_rows_each(subject: &impl Subject) {
    let target = merge(subject, &[]);
    for round in [1, 2] {
        let alike = [
            (round * 10, r#"{"n":1}"#),
            (round * 10 + 1, r#"{"n":1}"#),
            (round * 10 + 2, r#"{"n":1}"#),
        ];
        let told = load(subject, &target, &alike).await;
        assert_eq!((told.books.written, told.books.total()), (3, 3));
    }
    assert_eq!(shown(subject, &["n"]).await, ["1"; 6]);
    let mut keys = shown(subject, &["__sdc_primary_key"]).await;
    assert!(keys.iter().all(|key| key.len() == 36), "{keys:?}");
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

/// A writer that is dropped leaves what it committed.
pub async fn what_was_not_committed_is_not_there(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let mut writer = open(subject, &target, 1).await.unwrap();
    let batch = |records| json(subject, &target, records);
    writer.write(batch(&[(1, r#"{"n":1}"#)])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    writer.write(batch(&[(2, r#"{"n":2}"#)])).await.unwrap();
    drop(writer);
    assert_eq!(shown(subject, &["n"]).await, ["1"]);
}

/// After a commit that nobody heard of, the next run finds its position and goes on behind it: nothing is there twice.
pub async fn a_run_goes_on_behind_its_last_commit(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let mut writer = open(subject, &target, 1).await.unwrap();
    let batch = |records| json(subject, &target, records);
    writer.write(batch(&[(1, r#"{"n":1}"#)])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    let mut writer = open(subject, &target, 2).await.unwrap();
    assert_eq!(writer.committed_position(), Some("p1"));
    writer.write(batch(&[(2, r#"{"n":2}"#)])).await.unwrap();
    writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(shown(subject, &["n"]).await, ["1", "2"]);
}
