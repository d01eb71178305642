//! Tables that somebody changed by hand: what goes on all the same, what stops, and with which words. Whatever stops concerns one
//! table alone, which its error's kind says; what concerns all is for each destination to test.

use async_trait::async_trait;
use selvedge_connector::{ConnectorError, ErrorKind, TableTarget};

use super::{Subject, TABLE, checkpoint, json, load, merge, open, shown, shown_of};

/// What somebody does to [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub enum Touch {
    DropColumn(&'static str),
    /// The column, of integers until now, is one of text, whatever becomes of its values.
    MakeText(&'static str),
    /// The values of the column have to differ.
    AddUnique(&'static str),
    /// They do not have to any more.
    DropUnique,
    /// No row gets in without something that loads do not know of.
    RefuseRows,
    DropTable,
    /// A view of that name, where no table is.
    PutView,
}

/// A destination whose tables can be changed by hand.
#[async_trait]
pub trait Tampered: Subject {
    async fn touch(&self, touch: Touch);
}

/// One run that fails, wherever in it.
async fn fail(
    subject: &impl Subject,
    target: &TableTarget,
    records: &[(i64, &str)],
) -> ConnectorError {
    let attempt = async {
        let mut writer = open(subject, target, 1).await?;
        writer.write(json(subject, target, records)).await?;
        writer.finish(checkpoint(99)).await.map(drop)
    };
    attempt.await.expect_err("the load is refused")
}

/// The sentence names the table and has these words.
#[track_caller]
fn assert_words(error: &ConnectorError, words: &[&str]) {
    assert_eq!(error.kind, ErrorKind::Data, "{error:?}");
    for word in words.iter().chain(&[TABLE]) {
        assert!(error.message.contains(word), "{word}: {error:?}");
    }
}

/// A column of the engine's own: without it nothing can be told apart. Other tables go on.
pub async fn a_system_column_that_is_gone_stops_its_table_alone(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1}"#)]).await;
    subject.touch(Touch::DropColumn("_sdc_sequence")).await;
    let error = fail(subject, &target, &[(2, r#"{"id":2}"#)]).await;
    let words = ["_sdc_sequence", "restore it", "drop the table"];
    assert_words(&error, &words);
    let mut other = merge(subject, &["id"]);
    other.table_name = "others".to_owned();
    other.identity.tap_stream_id = "shop-public-others".to_owned();
    load(subject, &other, &[(1, r#"{"id":7}"#)]).await;
    assert_eq!(shown_of(subject, "others", &["id"]).await, ["7"]);
    subject.touch(Touch::DropTable).await;
    load(subject, &target, &[(3, r#"{"id":3}"#)]).await;
    assert_eq!(shown(subject, &["id"]).await, ["3"]);
}

/// Its old values are lost.
pub async fn a_column_that_is_gone_comes_again(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1,"v":1,"w":1}"#)]).await;
    subject.touch(Touch::DropColumn("v")).await;
    load(subject, &target, &[(2, r#"{"id":2,"v":2,"w":2}"#)]).await;
    assert_eq!(shown(subject, &["id", "v", "w"]).await, ["1|-|1", "2|2|2"]);
}

/// Nobody asks for the old ones again; and what was committed to it counts no more.
pub async fn a_table_that_is_gone_comes_again_with_new_rows_only(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1}"#)]).await;
    subject.touch(Touch::DropTable).await;
    let writer = open(subject, &target, 1).await.unwrap();
    assert_eq!(writer.committed_position(), None);
    drop(writer);
    load(subject, &target, &[(2, r#"{"id":2}"#)]).await;
    assert_eq!(shown(subject, &["id"]).await, ["2"]);
}

/// The next run makes it anew.
pub async fn a_table_that_goes_under_a_load_fails_it(subject: &impl Tampered) {
    fail_under_way(subject, Touch::DropTable).await;
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(4, r#"{"id":4,"v":4}"#)]).await;
    assert_eq!(shown(subject, &["id", "v"]).await, ["4|4"]);
}

/// Likewise.
pub async fn a_column_that_goes_under_a_load_fails_it(subject: &impl Tampered) {
    fail_under_way(subject, Touch::DropColumn("v")).await;
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(4, r#"{"id":4,"v":4}"#)]).await;
    assert_eq!(shown(subject, &["id", "v"]).await, ["1|-", "2|-", "4|4"]);
}

/// Somebody does it between two commits of a load, which fails then.
async fn fail_under_way(subject: &impl Tampered, touch: Touch) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1,"v":1}"#)]).await;
    let mut writer = open(subject, &target, 1).await.unwrap();
    let batch = |records| json(subject, &target, records);
    let before = batch(&[(2, r#"{"id":2,"v":2}"#)]);
    writer.write(before).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    subject.touch(touch).await;
    let after = batch(&[(3, r#"{"id":3,"v":3}"#)]);
    let failed = match writer.write(after).await {
        Ok(()) => writer.finish(checkpoint(2)).await.map(drop),
        failed => failed,
    };
    let error = failed.unwrap_err();
    assert_words(&error, &["does not exist"]);
    assert!(error.detail.is_some(), "{error:?}");
}

/// Values that do not fit it are split off.
pub async fn a_column_of_another_type_is_taken_as_it_is(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1,"v":1}"#)]).await;
    subject.touch(Touch::MakeText("v")).await;
    let records = [(2, r#"{"id":2,"v":2}"#), (3, r#"{"id":3,"v":"three"}"#)];
    load(subject, &target, &records).await;
    let rows = shown(subject, &["id", "v__st", "v__it"]).await;
    assert_eq!(rows[1..], ["2|-|2", "3|three|-"]);
}

/// Nothing of the load stays, the words do not show the value, and without the constraint the same load gets in.
pub async fn a_constraint_of_others_fails_a_load_as_a_whole(subject: &impl Tampered) {
    for key in [&["id"][..], &[]] {
        let target = merge(subject, key);
        load(subject, &target, &[(1, r#"{"id":1,"v":"secret"}"#)]).await;
        subject.touch(Touch::AddUnique("v")).await;
        let records = [
            (2, r#"{"id":2,"v":"b"}"#),
            (3, r#"{"id":3,"v":"secret"}"#),
            (4, r#"{"id":4,"v":"d"}"#),
        ];
        let error = fail(subject, &target, &records).await;
        assert_words(&error, &["constraint"]);
        assert!(error.detail.is_some(), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error:?}");
        assert_eq!(shown(subject, &["id", "v"]).await, ["1|secret"]);
        subject.touch(Touch::DropUnique).await;
        load(subject, &target, &records).await;
        assert_eq!(shown(subject, &["id"]).await, ["1", "2", "3", "4"]);
        subject.touch(Touch::DropTable).await;
    }
}

/// Such as a column that has to have a value, of which the source knows nothing.
pub async fn a_table_that_refuses_all_rows_says_so(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1}"#)]).await;
    subject.touch(Touch::RefuseRows).await;
    let error = fail(subject, &target, &[(2, r#"{"id":2}"#)]).await;
    assert_words(&error, &["constraint"]);
    assert!(error.detail.is_some(), "{error:?}");
    assert_eq!(shown(subject, &["id"]).await, ["1"]);
}

/// Nothing is written through it.
pub async fn a_view_in_the_place_of_a_table_is_refused(subject: &impl Tampered) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1}"#)]).await;
    subject.touch(Touch::DropTable).await;
    subject.touch(Touch::PutView).await;
    let error = fail(subject, &target, &[(2, r#"{"id":2}"#)]).await;
    assert_words(&error, &["rename"]);
    assert_eq!(shown(subject, &["id"]).await, ["1"]);
}
